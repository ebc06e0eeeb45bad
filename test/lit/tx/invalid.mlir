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

// -----

func.func @condition(%c: tensor<f32>) {
  // expected-error @+1 {{expected a condition of one i1, found 'tensor<f32>'}}
  tx.if %c : tensor<f32> {
    tx.yield
  } else {
    tx.yield
  }
  return
}

// -----

func.func @branches(%c: tensor<i1>, %x: tensor<2xf32>, %y: tensor<2xi32>) {
  %z = tx.if %c : tensor<i1> -> tensor<2xf32> {
    tx.yield %x : tensor<2xf32>
  } else {
    // expected-error @+1 {{value 0 is 'tensor<2xi32>', expected 'tensor<2xf32>'}}
    tx.yield %y : tensor<2xi32>
  }
  return
}

// -----

func.func @symbols(%c: tensor<i1>, %x: tensor<2xf32>) {
  %z = tx.if %c : tensor<i1> defines ["K"] -> tensor<?xf32, #tx.dims<[K]>> {
    // expected-error @+1 {{expected a value for each of 1 symbols, found 0}}
    tx.yield %x : tensor<2xf32>
  } else {
    tx.yield %x : tensor<2xf32> defines [#tx.expr<2>]
  }
  return
}

// -----

func.func @endless(%x: tensor<2xf32>) {
  // expected-error @+1 {{nothing ends it}}
  %y = tx.loop "i" carries %x : tensor<2xf32> -> tensor<2xf32> {
  ^bb0(%v: tensor<2xf32>):
    tx.yield %v : tensor<2xf32>
  }
  return
}

// -----

func.func @stack(%c: tensor<i1>, %x: tensor<2xf32>) {
  // expected-error @+1 {{a number of trips that says how much room it takes}}
  %y = tx.loop "i" while %c : tensor<i1> -> tensor<?x2xf32, #tx.dims<[i, 2]>> {
    tx.yield %c, %x : tensor<i1>, tensor<2xf32>
  }
  return
}
