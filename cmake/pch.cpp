// Exists so that the precompiled header has a target; see TxcTargets.cmake.
