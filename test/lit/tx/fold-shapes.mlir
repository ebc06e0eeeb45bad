// RUN: txc-opt %s -canonicalize -split-input-file | FileCheck %s

// Shape arithmetic on known integers becomes expressions of the symbols.
// CHECK-LABEL: @arithmetic
// CHECK:         tx.symbolic <[B * S, 12, floordiv(S, 2)] : tensor<3xi64>>
func.func @arithmetic() -> tensor<3xi64> {
  %shape = tx.symbolic #tx.exprs<[B, 384, S] : tensor<3xi64>>
  %divisor = tx.constant dense<[1, 32, 2]> : tensor<3xi64>
  %factor = tx.symbolic #tx.exprs<[S, 1, 1] : tensor<3xi64>>
  %product = tx.mul %shape, %factor : tensor<3xi64>, tensor<3xi64>
  %result = tx.div %product, %divisor : tensor<3xi64>, tensor<3xi64>
  return %result : tensor<3xi64>
}

// -----

// TorchScript's Expand: where(shape == -1, 1, shape). A dim is never negative.
// CHECK-LABEL: @expand_shape
// CHECK:         tx.symbolic <[B, S] : tensor<2xi64>>
func.func @expand_shape() -> tensor<2xi64> {
  %shape = tx.symbolic #tx.exprs<[B, S] : tensor<2xi64>>
  %minus_one = tx.constant dense<-1> : tensor<2xi64>
  %one = tx.constant dense<1> : tensor<2xi64>
  %is = tx.compare eq %shape, %minus_one : tensor<2xi64>, tensor<2xi64>
  %result = tx.select %is, %one, %shape : tensor<2xi1>, tensor<2xi64>, tensor<2xi64>
  return %result : tensor<2xi64>
}

// -----

// The ranges of symbols decide a comparison.
module attributes {tx.symbols = {S = [2, 512]}} {
  // CHECK-LABEL: @ranges
  // CHECK:         tx.constant dense<[true, false]> : tensor<2xi1>
  func.func @ranges() -> tensor<2xi1> {
    %s = tx.symbolic #tx.exprs<[S] : tensor<1xi64>>
    %bounds = tx.constant dense<[1, 512]> : tensor<2xi64>
    %result = tx.compare gt %s, %bounds : tensor<1xi64>, tensor<2xi64>
    return %result : tensor<2xi1>
  }
}

// -----

// What the symbols don't tell is left to the run.
// CHECK-LABEL: @undecided
// CHECK:         tx.compare lt
func.func @undecided() -> tensor<1xi1> {
  %s = tx.symbolic #tx.exprs<[S] : tensor<1xi64>>
  %bound = tx.constant dense<7> : tensor<1xi64>
  %result = tx.compare lt %s, %bound : tensor<1xi64>, tensor<1xi64>
  return %result : tensor<1xi1>
}

// -----

// CHECK-LABEL: @movement
// CHECK:         tx.symbolic <[S, B, 1] : tensor<3xi64>>
func.func @movement() -> tensor<3xi64> {
  %shape = tx.symbolic #tx.exprs<[B, S] : tensor<2xi64>>
  %one = tx.constant dense<1> : tensor<1xi64>
  %swap = tx.constant dense<[1, -2]> : tensor<2xi64>
  %swapped = tx.gather %shape, %swap 0 : tensor<2xi64>, tensor<2xi64>
  %result = tx.concat %swapped, %one 0 : tensor<2xi64>, tensor<1xi64>
  return %result : tensor<3xi64>
}
