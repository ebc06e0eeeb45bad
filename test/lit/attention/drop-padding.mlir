// RUN: txc-opt %s -pass-pipeline='builtin.module(txc-drop-padding{remarks},canonicalize,cse)' \
// RUN:   -split-input-file -verify-diagnostics | FileCheck %s
// RUN: txc-opt %s -pass-pipeline='builtin.module(txc-drop-padding{skip},canonicalize,cse)' \
// RUN:   -split-input-file | FileCheck %s --check-prefix=SKIP

// From the ids to what the mask multiplies all is rows; positions are gathered by
// place. Padding is known there, so the sum takes it as zeros.
!ids = tensor<?x?xi64, #tx.dims<[B, S]>>
!flags = tensor<?x?xi1, #tx.dims<[B, S]>>
!keys = tensor<?x1x1x?xi1, #tx.dims<[B, 1, 1, S]>>
!places = tensor<1x?x8xf32, #tx.dims<[1, S, 8]>>
!x = tensor<?x?x8xf32, #tx.dims<[B, S, 8]>>
!h = tensor<?x?x2x4xf32, #tx.dims<[B, S, 2, 4]>>
!q = tensor<?x2x?x4xf32, #tx.dims<[B, 2, S, 4]>>
!column = tensor<?x?x1xf32, #tx.dims<[B, S, 1]>>
// CHECK: module attributes {tx.symbols = {B = [0], S = [0, 32], tokens = [0]}, tx.upper_bounds = {tokens = #tx.expr<B * S>}}
module attributes {tx.symbols = {B = [0], S = [0, 32]}} {
  // CHECK-LABEL: func.func @main
  // CHECK-SAME:    (%[[IDS:[a-z0-9]+]]: tensor<?x?xi64, {{.*}}>, %[[GIVEN:[a-z0-9]+]]: tensor<?x?xi64
  // CHECK:         %[[MASK:.*]] = tx.cast %[[GIVEN]]
  // CHECK:         %[[EMPTY:.*]] = tx.compare eq
  // CHECK:         %[[KEPT:.*]] = tx.or %[[MASK]], %[[EMPTY]]
  // CHECK:         %[[STARTS:.*]] = tx.concat %{{.*}} : tensor<1xi64>, tensor<?xi64, #tx.dims<[B]>>
  // CHECK:         tx.define_symbol "tokens"
  // CHECK:         tx.nonzero
  // CHECK:         tx.gather %{{.*}}, %[[TOKENS:.*]] 0 : tensor<?xi64, #tx.dims<[B * S]>>, tensor<?xi64, #tx.dims<[tokens]>>
  // CHECK:         tx.gather %{{.*}} 0 : tensor<50x8xf32>, tensor<1x?xi64, #tx.dims<[1, tokens]>>
  // CHECK:         tx.gather %{{.*}} 1 : tensor<1x?x8xf32, #tx.dims<[1, S, 8]>>, tensor<?xi64, #tx.dims<[tokens]>>
  // CHECK:         %[[Q:.*]] = tx.transpose {{.*}} tensor<1x?x2x4xf32, #tx.dims<[1, tokens, 2, 4]>>
  // CHECK:         tx.attention %[[Q]], %[[Q]], %[[Q]] starts %[[STARTS]] : tensor<?xi64, #tx.dims<[B + 1]>> span <S>
  // CHECK:         %[[PRODUCT:.*]] = tx.mul {{.*}} : tensor<1x?x8xf32, #tx.dims<[1, tokens, 8]>>
  // CHECK:         %[[ROWS:.*]] = tx.reshape %[[PRODUCT]]
  // CHECK:         %[[PADDED:.*]] = tx.gather %[[ROWS]], %{{.*}} 0 : tensor<?x8xf32, #tx.dims<[tokens, 8]>>, tensor<?x?xi64, #tx.dims<[B, S]>>
  // CHECK:         %[[ZEROED:.*]] = tx.select %{{.*}}, %[[PADDED]]
  // CHECK:         tx.reduce sum %[[ZEROED]] [1]
  func.func @main(%ids: !ids, %given: !ids, %table: tensor<50x8xf32>, %w: tensor<8x8xf32>, %positions: !places) -> tensor<?x1x8xf32, #tx.dims<[B, 1, 8]>> {
    %embedded = tx.gather %table, %ids 0 : tensor<50x8xf32>, !ids
    %x = tx.add %embedded, %positions : !x, !places
    %mask = tx.cast %given : !ids to !flags
    %keys = tx.reshape %mask : !flags to !keys
    %p = tx.matmul %x, %w : !x, tensor<8x8xf32> to !x
    %heads = tx.reshape %p : !x to !h
    %q = tx.transpose %heads [0, 2, 1, 3] : !h
    %a = tx.attention %q, %q, %q mask %keys : !keys {masked_row = #tx<masked_row uniform>, scale = 0.5 : f64} : !q, !q, !q
    %t = tx.transpose %a [0, 2, 1, 3] : !q
    %joined = tx.reshape %t : !h to !x
    %y = tx.add %joined, %x : !x, !x
    %column = tx.reshape %given : !ids to tensor<?x?x1xi64, #tx.dims<[B, S, 1]>>
    %weights = tx.cast %column : tensor<?x?x1xi64, #tx.dims<[B, S, 1]>> to !column
    %kept = tx.mul %y, %weights : !x, !column
    %sum = tx.reduce sum %kept [1] : !x
    return %sum : tensor<?x1x8xf32, #tx.dims<[B, 1, 8]>>
  }
}

// -----

// A product with all tokens as rows of one matrix, and the first place of each
// sentence, which is kept: attention then needs the mask besides.
!flags = tensor<?x?xi1, #tx.dims<[B, S]>>
!keys = tensor<?x1x1x?xi1, #tx.dims<[B, 1, 1, S]>>
!x = tensor<?x?x8xf32, #tx.dims<[B, S, 8]>>
!flat = tensor<?x8xf32, #tx.dims<[B * S, 8]>>
!h = tensor<?x?x2x4xf32, #tx.dims<[B, S, 2, 4]>>
!q = tensor<?x2x?x4xf32, #tx.dims<[B, 2, S, 4]>>
module attributes {tx.symbols = {B = [0], S = [1]}} {
  // CHECK-LABEL: func.func @first
  // CHECK:         tx.iota
  // CHECK:         tx.define_symbol "tokens"
  // CHECK:         %[[KEYS:.*]] = tx.reshape {{.*}} to tensor<1x1x1x?xi1, #tx.dims<[1, 1, 1, tokens]>>
  // CHECK:         tx.matmul {{.*}} tensor<?x8xf32, #tx.dims<[tokens, 8]>>
  // CHECK:         tx.attention {{.*}} mask %[[KEYS]] : {{.*}} starts
  // CHECK:         tx.gather %{{.*}} 0 : tensor<?x8xf32, #tx.dims<[tokens, 8]>>, tensor<?x1xi64, #tx.dims<[B, 1]>>
  // CHECK-NOT:     tx.select
  func.func @first(%x: !x, %mask: !flags, %w: tensor<8x8xf32>) -> tensor<?x1x8xf32, #tx.dims<[B, 1, 8]>> {
    %keys = tx.reshape %mask : !flags to !keys
    %flat = tx.reshape %x : !x to !flat
    %p = tx.matmul %flat, %w : !flat, tensor<8x8xf32> to !flat
    %heads = tx.reshape %p : !flat to !h
    %q = tx.transpose %heads [0, 2, 1, 3] : !h
    %a = tx.attention %q, %q, %q mask %keys : !keys {masked_row = #tx<masked_row uniform>, scale = 0.5 : f64} : !q, !q, !q
    %t = tx.transpose %a [0, 2, 1, 3] : !q
    %joined = tx.reshape %t : !h to !x
    %first = tx.slice %joined [#tx.expr<0>, #tx.expr<0>, #tx.expr<0>] [1, 1, 1] : !x to tensor<?x1x8xf32, #tx.dims<[B, 1, 8]>>
    return %first : tensor<?x1x8xf32, #tx.dims<[B, 1, 8]>>
  }
}

// -----

// Tokens that are returned are kept, unless they may become zero.
!keys = tensor<?x1x1x?xi1, #tx.dims<[B, 1, 1, S]>>
!q = tensor<?x2x?x4xf32, #tx.dims<[B, 2, S, 4]>>
module attributes {tx.symbols = {B = [0], S = [0]}} {
  // CHECK-LABEL: func.func @returned
  // CHECK-NOT:     tx.define_symbol
  // SKIP-LABEL:  func.func @returned
  // SKIP-SAME:     %[[MASK:[a-z0-9]+]]: tensor<?x1x1x?xi1
  // SKIP:          tx.define_symbol
  // SKIP:          %[[ROWS:.*]] = tx.attention
  // SKIP-NOT:      mask %
  // SKIP:          tx.gather
  // SKIP:          %[[ZEROED:.*]] = tx.select
  // SKIP:          return %[[ZEROED]]
  func.func @returned(%q: !q, %keys: !keys) -> (!q {tx.name = "tokens"}) {
    // expected-remark@+1 {{padding: the rows of padding reach the output tokens; -padding=skip makes them zero}}
    %a = tx.attention %q, %q, %q mask %keys : !keys {masked_row = #tx<masked_row zero>, scale = 0.5 : f64} : !q, !q, !q
    return %a : !q
  }
}

// -----

// A maximum over all places sees padding, even if it is to be skipped.
!keys = tensor<?x1x1x?xi1, #tx.dims<[B, 1, 1, S]>>
!q = tensor<?x2x?x4xf32, #tx.dims<[B, 2, S, 4]>>
module attributes {tx.symbols = {B = [0], S = [0]}} {
  // CHECK-LABEL: func.func @mixed
  // CHECK-NOT:     tx.define_symbol
  // SKIP-LABEL:  func.func @mixed
  // SKIP-NOT:      tx.define_symbol
  func.func @mixed(%q: !q, %keys: !keys) -> tensor<?x2x1x4xf32, #tx.dims<[B, 2, 1, 4]>> {
    %a = tx.attention %q, %q, %q mask %keys : !keys {masked_row = #tx<masked_row zero>, scale = 0.5 : f64} : !q, !q, !q
    // expected-remark@+1 {{padding: the rows of padding reach an operation that mixes tokens}}
    %max = tx.reduce max %a [2] : !q
    return %max : tensor<?x2x1x4xf32, #tx.dims<[B, 2, 1, 4]>>
  }
}

// -----

// One that replaces padding by the mask doesn't, wherever the places are.
!flags = tensor<?x?xi1, #tx.dims<[B, S]>>
!keys = tensor<?x1x1x?xi1, #tx.dims<[B, 1, 1, S]>>
!q = tensor<?x2x?x4xf32, #tx.dims<[B, 2, S, 4]>>
module attributes {tx.symbols = {B = [0], S = [0]}} {
  // CHECK-LABEL: func.func @replaced
  // SKIP-LABEL:  func.func @replaced
  // CHECK-DAG:     %[[LEAST:.*]] = tx.constant dense<-1.000000e+09>
  // CHECK:         tx.define_symbol "tokens"
  // CHECK:         tx.attention {{.*}} starts
  // CHECK:         tx.select {{.*}}, %[[LEAST]] : tensor<1x1x?x1xi1
  // CHECK:         tx.select {{.*}}, %[[LEAST]] : tensor<?x1x?x1xi1
  // CHECK:         tx.reduce max
  func.func @replaced(%q: !q, %mask: !flags) -> tensor<?x2x1x4xf32, #tx.dims<[B, 2, 1, 4]>> {
    %keys = tx.reshape %mask : !flags to !keys
    %a = tx.attention %q, %q, %q mask %keys : !keys {masked_row = #tx<masked_row zero>, scale = 0.5 : f64} : !q, !q, !q
    %least = tx.constant dense<-1.0e9> : tensor<f32>
    %column = tx.reshape %mask : !flags to tensor<?x1x?x1xi1, #tx.dims<[B, 1, S, 1]>>
    %seen = tx.select %column, %a, %least : tensor<?x1x?x1xi1, #tx.dims<[B, 1, S, 1]>>, !q, tensor<f32>
    %max = tx.reduce max %seen [2] : !q
    return %max : tensor<?x2x1x4xf32, #tx.dims<[B, 2, 1, 4]>>
  }
}

// -----

// A mask of queries and keys, and one of floats.
!q = tensor<?x2x?x4xf32, #tx.dims<[B, 2, S, 4]>>
module attributes {tx.symbols = {B = [0], S = [0]}} {
  // CHECK-LABEL: func.func @pairs
  // CHECK-NOT:     tx.define_symbol
  func.func @pairs(%q: !q, %keys: tensor<?x1x?x?xi1, #tx.dims<[B, 1, S, S]>>) -> !q {
    // expected-remark@+1 {{padding: the attention is not of a sentence's tokens to each other under a mask of the keys alone}}
    %a = tx.attention %q, %q, %q mask %keys : tensor<?x1x?x?xi1, #tx.dims<[B, 1, S, S]>> {masked_row = #tx<masked_row zero>, scale = 0.5 : f64} : !q, !q, !q
    return %a : !q
  }

  // CHECK-LABEL: func.func @floats
  // CHECK-NOT:     tx.define_symbol
  func.func @floats(%q: !q, %keys: tensor<?x1x1x?xf32, #tx.dims<[B, 1, 1, S]>>) -> !q {
    // expected-remark@+1 {{padding: the attention's mask is no boolean one}}
    %a = tx.attention %q, %q, %q mask %keys : tensor<?x1x1x?xf32, #tx.dims<[B, 1, 1, S]>> {masked_row = #tx<masked_row zero>, scale = 0.5 : f64} : !q, !q, !q
    return %a : !q
  }
}
