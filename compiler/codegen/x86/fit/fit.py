#!/usr/bin/env python3
# Part of txc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fits the polynomials of VectorMath and prints VectorMathCoefficients.h.

Every approximation minimizes the greatest relative error, by Lawson's
iteratively reweighted least squares (C. L. Lawson, 1961; for rational
functions with the linearization of Loeb, 1957). Needs mpmath:

    python3 fit.py > ../VectorMathCoefficients.h
"""

from mpmath import mp, mpf, matrix, lu_solve, cos, pi
from mpmath import atanh, erf, exp, floor, log, sin, sqrt, tanh

mp.dps = 50


def fit(f, low, high, numerator, denominator=0, variable=lambda x: x,
        importance=lambda x: 1):
    """Coefficients, lowest first, of P(t)/Q(t) ~ f(x) on [low, high].

    t = variable(x); P has `numerator` coefficients, Q that many besides the
    constant 1. Returns (greatest relative error times importance(x), P, Q).
    """
    count, rounds = 160, 40
    points = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * count))
              for i in range(count)]
    ts = [variable(x) for x in points]
    values = [f(x) for x in points]
    importances = [importance(x) for x in points]
    weights = [mpf(1)] * count
    q = [mpf(0)] * denominator
    best = None
    for _ in range(rounds):
        size = numerator + denominator
        normal, right = matrix(size, size), matrix(size, 1)
        for t, y, weight, part in zip(ts, values, weights, importances):
            below = 1 + sum(c * t ** (j + 1) for j, c in enumerate(q))
            scale = weight * (part / (below * y)) ** 2
            row = [t**j for j in range(numerator)]
            row += [-y * t ** (j + 1) for j in range(denominator)]
            for i in range(size):
                right[i] += scale * row[i] * y
                for j in range(size):
                    normal[i, j] += scale * row[i] * row[j]
        solution = lu_solve(normal, right)
        p = [solution[i] for i in range(numerator)]
        q = [solution[numerator + i] for i in range(denominator)]
        errors = []
        for t, y, part in zip(ts, values, importances):
            above = sum(c * t**j for j, c in enumerate(p))
            below = 1 + sum(c * t ** (j + 1) for j, c in enumerate(q))
            errors.append(abs(above / below / y - 1) * part)
        if best is None or max(errors) < best[0]:
            best = (max(errors), p, q)
        total = sum(w * e for w, e in zip(weights, errors))
        weights = [w * e / total * count + mpf(10) ** -20
                   for w, e in zip(weights, errors)]
    return best


def show_array(name, values, digits):
    numbers = ",\n    ".join(mp.nstr(value, digits) for value in values)
    print(f"constexpr double {name}[] = {{\n    {numbers}}};")


def show(name, meaning, result, digits, kind="relative error"):
    """Prints coefficients highest first, the order of Horner's scheme."""
    error, p, q = result
    print(f"\n/// {meaning}; {kind} {mp.nstr(error, 2)}.")
    show_array(name + ("Numerator" if q else ""), reversed(p), digits)
    if q:
        show_array(name + "Denominator", [*reversed(q), mpf(1)], digits)


def two_over_pi(exponent):
    """2^exponent * 2/pi mod 4 as a sum of two doubles, the first of 28 bits."""
    with mp.workdps(120):
        value = mpf(2) ** exponent * 2 / pi
        value -= 4 * floor(value / 4)
        head = floor(value * 2**26) / mpf(2) ** 26
        return head, value - head


HEADER = """\
//===- VectorMathCoefficients.h - Fitted polynomials ------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \\file
/// Printed by fit/fit.py; change that and run it again. Coefficients go from the
/// highest power to the lowest.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_VECTORMATHCOEFFICIENTS_H
#define TXC_COMPILER_CODEGEN_X86_VECTORMATHCOEFFICIENTS_H

namespace txc::x86::coefficients {"""

FOOTER = """
} // namespace txc::x86::coefficients

#endif // TXC_COMPILER_CODEGEN_X86_VECTORMATHCOEFFICIENTS_H"""


def main():
    def square(x):
        return x * x

    single, double = 10, 18  # digits
    half_log2 = log(2) / 2 * mpf("1.001")
    tiny = mpf("1e-3")
    print(HEADER)
    show("expTail", "(exp(x) - 1 - x) / x^2 for |x| <= log(2)/2",
         fit(lambda x: (exp(x) - 1 - x) / x**2, -half_log2, half_log2, 5), single)
    show("coarseExp2", "2^x for 0 <= x <= 1",
         fit(lambda x: mpf(2) ** x, mpf(0), mpf(1), 4), single)
    show("tanh", "tanh(x) / x in x^2 for |x| <= 9.02",
         fit(lambda x: tanh(x) / x, tiny, mpf("9.02"), 6, 4, square), single)
    show("erf", "erf(x) / x in x^2 for |x| <= 3.925",
         fit(lambda x: erf(x) / x, tiny, mpf("3.925"), 6, 5, square), single)
    # A little more than 1 behind 3.2.
    show("looseErf", "erf(x) / x in x^2 for |x| <= 3.2",
         fit(lambda x: erf(x) / x, tiny, mpf("3.2"), 9, 0, square,
             lambda x: x * erf(x)), single, "error of x erf(x)")

    print("\n// The rest is evaluated in double precision.")
    quarter = pi / 4 * mpf("1.0001")
    show("sine", "sin(x) / x in x^2 for |x| <= pi/4",
         fit(lambda x: sin(x) / x, tiny, quarter, 5, 0, square), double)
    show("cosine", "cos(x) in x^2 for |x| <= pi/4",
         fit(cos, mpf(0), quarter, 6, 0, square), double)
    # m in [sqrt(1/2), sqrt(2)] is s = (m - 1) / (m + 1) up to 0.1716.
    limit = (sqrt(2) - 1) / (sqrt(2) + 1)
    show("log2Series", "2 atanh(s) / (s log(2)) in s^2 for |s| <= 0.1716",
         fit(lambda s: 2 * atanh(s) / s / log(2), tiny, limit, 8, 0, square), double)
    show("exp2", "2^x for |x| <= 1/2",
         fit(lambda x: mpf(2) ** x, mpf(-1) / 2, mpf(1) / 2, 9), double)

    print("\n/// 2^e * 2/pi mod 4 for e = 0, 1, ...: 26 bits of fraction, then the"
          "\n/// rest.")
    table = [part for e in range(105) for part in two_over_pi(e)]
    show_array("twoOverPi", table, double)
    print(FOOTER)


if __name__ == "__main__":
    main()
