//===- HeaderTest.c - txc.h from C ----------------------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// That the public header is C11 and pedantic about it: compiled with
/// -std=c11 -Wall -Wextra -pedantic -Werror.
///
//===----------------------------------------------------------------------===//

#include "runtime/txc.h"

int txcTestHeaderInC(void);

int txcTestHeaderInC(void) {
  txc_session_options options = txc_session_options_default();
  txc_tensor lent = txc_tensor_borrow("y");
  return options.size == sizeof options && options.spin_microseconds == -1 &&
                 lent.data == NULL &&
                 txc_run(NULL, NULL, 0, &lent, 1) == TXC_INVALID_ARGUMENT &&
                 txc_close(NULL, NULL) == TXC_OK
             ? 0
             : 1;
}
