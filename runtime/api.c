//===- api.c - The functions a model table points to ----------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The one symbol of the runtime that generated code refers to.
///
//===----------------------------------------------------------------------===//

#include "runtime/infer.h"
#include "runtime/run.h"
#include "runtime/state.h"

const txc_api txc_runtime_api = {
    .size = sizeof(txc_api),
    .version = TXC_ABI_VERSION,
    .model_create = txc_model_create_impl,
    .model_close = txc_model_close_impl,
    .model_info = txc_describe_model,
    .model_input = txc_describe_input,
    .model_output = txc_describe_output,
    .model_symbol = txc_describe_symbol,
    .model_state = txc_describe_state,
    .model_sequence = txc_describe_sequence,
    .model_phase = txc_describe_phase,
    .session_create = txc_session_create_impl,
    .session_destroy = txc_session_destroy_impl,
    .session_error = txc_session_error_impl,
    .session_reserve = txc_session_reserve_impl,
    .infer = txc_infer_impl,
    .run = txc_run_impl,
    .state_reset = txc_state_reset_impl,
    .state_length = txc_state_length_impl,
    .state_truncate = txc_state_truncate_impl,
    .state_copy = txc_state_copy_impl,
    .state_save = txc_state_save_impl,
    .state_load = txc_state_load_impl,
    .executor_create = txc_executor_create_impl,
    .executor_destroy = txc_executor_destroy_impl,
    .executor_threads = txc_executor_threads_impl,
    .executor_attach = txc_executor_attach_impl,
    .executor_offer = txc_executor_offer_impl,
    .executor_withdraw = txc_executor_withdraw_impl,
    .executor_drain = txc_executor_drain_impl,
    .session_info = txc_session_describe_impl,
    .infer_inputs = txc_infer_inputs_impl,
    .wait = txc_wait_impl,
};
