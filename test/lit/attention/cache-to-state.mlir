// RUN: txc-opt %s -txc-cache-to-state -split-input-file -verify-diagnostics | FileCheck %s

// present = concat(past, new) becomes state; input and output go.
module attributes {tx.symbols = {B = [1], P = [0], S = [1]}} {
  // CHECK:         tx.state_capacity = "kv_capacity", tx.state_length = "P"
  // CHECK-LABEL:   func.func @main
  // CHECK-SAME:      (%[[NEW:.*]]: tensor<?x2x?x8xf32, #tx.dims<[B, 2, S, 8]>>) -> tensor<?x2x?x8xf32, #tx.dims<[B, 2, P + S, 8]>>
  // CHECK-NEXT:      %[[STATE:.*]] = tx.state_append "past" %[[NEW]] 2 at <P>
  // CHECK-SAME:        to <tensor<?x2x?x8xf32, #tx.dims<[B, 2, kv_capacity, 8]>>>
  // CHECK-NEXT:      %[[ALL:.*]] = tx.state_read %[[STATE]]
  // CHECK-NEXT:      %[[USE:.*]] = tx.exp %[[ALL]]
  // CHECK-NEXT:      return %[[USE]]
  func.func @main(%past: tensor<?x2x?x8xf32, #tx.dims<[B, 2, P, 8]>> {tx.name = "past"}, %new: tensor<?x2x?x8xf32, #tx.dims<[B, 2, S, 8]>>)
      -> (tensor<?x2x?x8xf32, #tx.dims<[B, 2, P + S, 8]>>, tensor<?x2x?x8xf32, #tx.dims<[B, 2, P + S, 8]>>) {
    %present = tx.concat %past, %new 2 : tensor<?x2x?x8xf32, #tx.dims<[B, 2, P, 8]>>, tensor<?x2x?x8xf32, #tx.dims<[B, 2, S, 8]>>
    %use = tx.exp %present : tensor<?x2x?x8xf32, #tx.dims<[B, 2, P + S, 8]>>
    return %use, %present : tensor<?x2x?x8xf32, #tx.dims<[B, 2, P + S, 8]>>, tensor<?x2x?x8xf32, #tx.dims<[B, 2, P + S, 8]>>
  }
}

// -----

// An input that is read besides is no cache.
module attributes {tx.symbols = {P = [0]}} {
  // CHECK-LABEL: @main
  // CHECK:         tx.concat
  // CHECK-NOT:     tx.state_append
  func.func @main(%past: tensor<?x8xf32, #tx.dims<[P, 8]>>, %new: tensor<1x8xf32>)
      -> (tensor<?x8xf32, #tx.dims<[P + 1, 8]>>, tensor<?x8xf32, #tx.dims<[P, 8]>>) {
    %present = tx.concat %past, %new 0 : tensor<?x8xf32, #tx.dims<[P, 8]>>, tensor<1x8xf32>
    %other = tx.exp %past : tensor<?x8xf32, #tx.dims<[P, 8]>>
    return %present, %other : tensor<?x8xf32, #tx.dims<[P + 1, 8]>>, tensor<?x8xf32, #tx.dims<[P, 8]>>
  }
}

// -----

module attributes {tx.symbols = {P = [0], Q = [0]}} {
  // expected-error @+1 {{the caches grow differently: one from P by 1, another from Q by 1}}
  func.func @main(%a: tensor<?x8xf32, #tx.dims<[P, 8]>>, %b: tensor<?x8xf32, #tx.dims<[Q, 8]>>, %new: tensor<1x8xf32>)
      -> (tensor<?x8xf32, #tx.dims<[P + 1, 8]>>, tensor<?x8xf32, #tx.dims<[Q + 1, 8]>>) {
    %c = tx.concat %a, %new 0 : tensor<?x8xf32, #tx.dims<[P, 8]>>, tensor<1x8xf32>
    %d = tx.concat %b, %new 0 : tensor<?x8xf32, #tx.dims<[Q, 8]>>, tensor<1x8xf32>
    return %c, %d : tensor<?x8xf32, #tx.dims<[P + 1, 8]>>, tensor<?x8xf32, #tx.dims<[Q + 1, 8]>>
  }
}
