#!/usr/bin/env python3
"""Derives the polynomials of shared/kernels/c/math.h: needs mpmath, takes some minutes, prints C literals.

Minimax by Remez exchange (Remez 1934; see Muller, "Elementary Functions", 3rd ed., chapter 3) for the relative error
of the whole function. `stepwise` rounds coefficients to floats one after the other, from the constant term on, and fits
the remaining ones again each time; where this is ill-conditioned (log), `at_once` rounds all of them.
"""
import struct

from mpmath import cos, erf, erfc, exp, log, lu_solve, matrix, mp, mpf, pi, sin, sqrt, tanh

mp.dps = 40
# Numbers of points at which the error is evaluated; with these the coefficients are those of math.h to the last bit.
GRID_STEPWISE = 600
GRID_AT_ONCE = 300


def to_float(x):
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def evaluate(c, x):
    return sum(ck * x**k for k, ck in enumerate(c))


def extrema(error, grid):
    """The point of largest error between each two sign changes."""
    found = []
    for x, e in ((x, error(x)) for x in grid):
        if found and (e > 0) == (found[-1][1] > 0):
            if abs(e) > abs(found[-1][1]):
                found[-1] = (x, e)
        else:
            found.append((x, e))
    return found


def remez(f, weight, low, high, degree, fixed, steps):
    """Coefficients that minimise the largest |weight * (f - p)|; the first ones are given in `fixed`."""
    base, n = len(fixed), degree + 1 - len(fixed)
    rest = lambda x: f(x) - evaluate(fixed, x)
    middle, half = (low + high) / 2, (high - low) / 2
    points = [middle - half * cos(pi * (2 * i + 1) / (2 * (n + 1))) for i in range(n + 1)]
    grid = [middle - half * cos(pi * i / mpf(steps)) for i in range(steps + 1)]
    for _ in range(12):
        a, b = matrix(n + 1, n + 1), matrix(n + 1, 1)
        for i, x in enumerate(points):
            for k in range(n):
                a[i, k] = weight(x) * x ** (k + base)
            a[i, n] = (-1) ** i
            b[i] = weight(x) * rest(x)
        solution = lu_solve(a, b)
        c = list(fixed) + [solution[k] for k in range(n)]
        found = extrema(lambda x: weight(x) * (f(x) - evaluate(c, x)), grid)
        while len(found) > n + 1:
            found.pop(0 if abs(found[0][1]) < abs(found[-1][1]) else -1)
        if len(found) < n + 1:
            break
        points = [x for x, _ in found]
    return c


def stepwise(f, weight, low, high, degree):
    fixed = []
    for k in range(degree + 1):
        fixed.append(to_float(remez(f, weight, low, high, degree, fixed, GRID_STEPWISE)[k]))
    return fixed


def at_once(f, weight, low, high, degree, fixed):
    return [to_float(c) for c in remez(f, weight, low, high, degree, fixed, GRID_AT_ONCE)]


def literal(x):
    mantissa, exponent = float(x).hex().split("p")
    return f"{mantissa.rstrip('0').rstrip('.')}p{exponent}f"


def show(name, c, f, weight, low, high):
    worst = max(abs(weight(x) * (f(x) - evaluate(c, x))) for x in (low + (high - low) * i / 1000 for i in range(1001)))
    print(f"{name}: relative error 2^{float(log(worst, 2)):.2f}")
    print("   ", ", ".join(literal(x) for x in c))


def near_zero(f, value):
    """f, with its limit near 0, where it would divide by 0."""
    return lambda x: value if abs(x) < mpf("1e-14") else f(x)


def of_square(f, limit):
    """The quotient q(s) of an odd or even function of sqrt(s)."""
    return near_zero(lambda s: f(sqrt(s)), limit)


def main():
    half_ln2, eighth_turn = log(2) / 2 * mpf("1.001"), pi / 4 * mpf("1.0001")
    odd_weight = lambda f: near_zero(lambda s: sqrt(s) ** 3 / f(sqrt(s)), mpf(0))
    cases = {
        "exp": (near_zero(lambda r: (exp(r) - 1 - r) / r**2, mpf(1) / 2), lambda r: r**2 / exp(r), -half_ln2, half_ln2, 4),
        "tanh": (of_square(lambda x: (tanh(x) - x) / x**3, -mpf(1) / 3), odd_weight(tanh), mpf(0), mpf("0.625") ** 2, 4),
        "erf, near": (of_square(lambda x: erf(x) / x - 1, 2 / sqrt(pi) - 1),
                      near_zero(lambda s: sqrt(s) / erf(sqrt(s)), mpf(1)), mpf(0), mpf("0.875") ** 2, 6),
        "erf, far": (lambda a: -log(erfc(a)), lambda a: erfc(a) / erf(a), mpf("0.875"), mpf(4), 7),
        "sin": (of_square(lambda x: (sin(x) - x) / x**3, -mpf(1) / 6), odd_weight(sin), mpf(0), eighth_turn**2, 3),
        "cos": (of_square(lambda x: (cos(x) - 1) / x**2, -mpf(1) / 2), lambda s: s / cos(sqrt(s)), mpf(0), eighth_turn**2, 3),
    }
    for name, (f, weight, low, high, degree) in cases.items():
        show(name, stepwise(f, weight, low, high, degree), f, weight, low, high)

    quotient = near_zero(lambda f: (log(1 + f) - f) / f**2, -mpf(1) / 2)
    low, high = sqrt(mpf(1) / 2) - 1, sqrt(mpf(2)) - 1
    # The true weight is 0 at 0, where the exchange would not find its points.
    c = at_once(quotient, lambda f: sqrt(f**2 + mpf("0.002")), low, high, 9, [-mpf(1) / 2])
    show("log", c, quotient, near_zero(lambda f: f**2 / log(1 + f), mpf(0)), low, high)


if __name__ == "__main__":
    main()
