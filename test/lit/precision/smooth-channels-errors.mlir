// RUN: txc-opt %s -txc-smooth-channels -split-input-file -verify-diagnostics

// expected-error@+1 {{tx.channel_maxima needs a vector for each of 1 tensors}}
func.func @few(%x: tensor<5x4xf32>) -> tensor<5x3xf32> attributes {tx.channel_maxima = []} {
  %w = tx.weight "w" : tensor<4x3xf32>
  %y = tx.matmul %x, %w : tensor<5x4xf32>, tensor<4x3xf32> to tensor<5x3xf32>
  return %y : tensor<5x3xf32>
}

// -----

// expected-error@+1 {{tx.channel_maxima needs an f32 for each channel of 'tensor<5x4xf32>'}}
func.func @short(%x: tensor<5x4xf32>) -> tensor<5x3xf32> attributes {tx.channel_maxima = [dense<1.0> : tensor<3xf32>]} {
  %w = tx.weight "w" : tensor<4x3xf32>
  %y = tx.matmul %x, %w : tensor<5x4xf32>, tensor<4x3xf32> to tensor<5x3xf32>
  return %y : tensor<5x3xf32>
}
