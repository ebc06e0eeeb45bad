// RUN: txc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{dim 0 is ? in the type but 4 in the encoding}}
func.func private @encoding(tensor<?x3xf32, #tx.dims<[4, 3]>>)

// -----

func.func @broadcast(%x: tensor<?xf32, #tx.dims<[S]>>, %y: tensor<?xf32, #tx.dims<[T]>>) {
  // expected-error @+1 {{dims S and T do not broadcast}}
  %z = tx.add %x, %y : tensor<?xf32, #tx.dims<[S]>>, tensor<?xf32, #tx.dims<[T]>>
  return
}

// -----

// Counts that a run may make equal are a requirement's matter.
module attributes {tx.symbols = {S = [1]}} {
  func.func @reshape(%x: tensor<?x8xf32, #tx.dims<[S, 8]>>) {
    // expected-error @+1 {{cannot reshape 8 * S elements into 9 * S}}
    %y = tx.reshape %x : tensor<?x8xf32, #tx.dims<[S, 8]>> to tensor<?x9xf32, #tx.dims<[S, 9]>>
    return
  }
}

// -----

func.func @matmul(%x: tensor<2x3xf32>, %y: tensor<4x5xf32>) {
  // expected-error @+1 {{inner dims 3 and 4 differ}}
  %z = tx.matmul %x, %y : tensor<2x3xf32>, tensor<4x5xf32> to tensor<2x5xf32>
  return
}

// -----

func.func @attention(%q: tensor<1x6x2x8xf32>, %k: tensor<1x4x2x8xf32>) {
  // expected-error @+1 {{the key heads 4 must divide the query heads 6}}
  %o = tx.attention %q, %k, %k {scale = 1.0, masked_row = #tx<masked_row zero>} : tensor<1x6x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>
  return
}

// -----

func.func @norm(%x: tensor<2x8xf32>, %scale: tensor<2x1x8xf32>) {
  // expected-error @+1 {{scale and bias must broadcast to 'tensor<2x8xf32>'}}
  %y = tx.layer_norm %x scale %scale : tensor<2x1x8xf32> {axes = 1, epsilon = 1.0e-5} : tensor<2x8xf32>
  return
}

// -----

func.func @nonzero(%x: tensor<2x3xi1>) {
  // expected-error @+1 {{expected a result of i64 with dims [2, count]}}
  %y = tx.nonzero %x : tensor<2x3xi1> to tensor<3x?xi64, #tx.dims<[3, n]>>
  return
}

// -----

func.func @define_symbol(%n: tensor<1xi64>) {
  // expected-error @+1 {{expected a scalar tensor<i64>, found 'tensor<1xi64>'}}
  tx.define_symbol "n" %n : tensor<1xi64>
  return
}
