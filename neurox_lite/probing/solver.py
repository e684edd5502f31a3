"""Multinomial elastic net: an accelerated proximal gradient method that proves its result.

Minimises, over weights W (n_neurons, n_classes) and intercepts b (Dalvi et al. 2019),

    F(W, b) = mean_i CE(softmax(W' x_i + b), y_i) + l1 * sum |W| + l2 * sum W^2

for standardised activations x = (raw - mean) / scale, without making a standardised copy.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from tqdm.auto import tqdm

CHECK_EVERY = 20
"""Iterations between two computations of the certificate, each of which costs one iteration."""

INTERCEPT_TOL = 1e-5
"""Largest intercept gradient with which a dual point counts as feasible; rounding leaves 1e-7."""


@dataclass(frozen=True)
class Problem:
    """Data and penalties; everything on one device.

    Attributes
    ----------
    X : (n, n_neurons) float32 or float64 tensor
        Raw activations.
    y : (n,) int64 tensor
        Class ids from 0 to n_classes - 1.
    n_classes : int
    mean, inverse_scale : (n_neurons,) tensors
        Standardisation, in the dtype of ``X``.
    l1, l2 : float
    """

    X: torch.Tensor
    y: torch.Tensor
    n_classes: int
    mean: torch.Tensor
    inverse_scale: torch.Tensor
    l1: float
    l2: float

    def logits(self, W: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """(n, n_classes) logits of standardised activations."""
        raw = W * self.inverse_scale[:, None]
        return torch.addmm(b - self.mean @ raw, self.X, raw)

    def gradient(self, residual: torch.Tensor) -> torch.Tensor:
        """Standardised X' R / n for a residual R of shape (n, n_classes)."""
        product = self.X.T @ residual - torch.outer(self.mean, residual.sum(0))
        return product * (self.inverse_scale[:, None] / len(self.X))

    def residual(self, logits: torch.Tensor) -> torch.Tensor:
        """softmax(logits) minus the one-hot labels, shape (n, n_classes)."""
        residual = torch.softmax(logits, 1)
        residual[torch.arange(len(self.y), device=self.y.device), self.y] -= 1
        return residual

    def loss(self, logits: torch.Tensor) -> float:
        """Mean cross entropy, accumulated in float64."""
        right = logits.gather(1, self.y[:, None])[:, 0]
        return float((torch.logsumexp(logits, 1) - right).mean(dtype=torch.float64))

    def penalty(self, W: torch.Tensor) -> float:
        l1 = self.l1 * float(W.abs().sum(dtype=torch.float64))
        return l1 + self.l2 * float(W.square().sum(dtype=torch.float64))

    def class_shares(self) -> torch.Tensor:
        """Share of each class, float64, shape (n_classes,)."""
        return torch.bincount(self.y, minlength=self.n_classes).double() / len(self.y)


@dataclass(frozen=True)
class Certificate:
    """How far a solution can be from the optimum, at most.

    Attributes
    ----------
    kind : str
        ``"duality gap"``: F minus a lower bound on its minimum, relative to F at W = 0 (the
        entropy of the labels). Without any penalty there is no finite bound, so ``"gradient"``:
        the norm of the gradient relative to its norm at W = 0.
    value, tol : float
        Converged means ``value <= tol``.
    objective : float
        F of the solution, in nats.
    n_iter : int
        Passes over the data.
    """

    kind: str
    value: float
    tol: float
    objective: float
    n_iter: int

    @property
    def converged(self) -> bool:
        return self.value <= self.tol


def solve(
    problem: Problem,
    *,
    tol: float,
    max_iter: int,
    start: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> tuple[torch.Tensor, torch.Tensor, Certificate]:
    """Solve the elastic net by FISTA with a backtracked step and adaptive restart.

    Beck & Teboulle 2009 (FISTA), O'Donoghue & Candes 2015 (restart); soft thresholding gives exact
    zeros. Memory beside ``X``: about eight arrays of (n, n_classes) and of (n_neurons, n_classes).

    Parameters
    ----------
    problem : Problem
    tol : float
        Stop when the certificate is at most this.
    max_iter : int
        Stop after this many passes over the data.
    start : (W, b), optional
        Where to start; zero weights by default.

    Returns
    -------
    W : (n_neurons, n_classes) tensor
    b : (n_classes,) tensor
    certificate : Certificate
        Of the returned solution.
    """
    shares = problem.class_shares()
    at_zero = _AtZero.of(problem, shares)
    if start is None:
        start = torch.zeros_like(at_zero.gradient), shares.log().to(problem.X.dtype)
    W, b = start
    Z = problem.logits(W, b)
    V, c, U = W, b, Z  # the extrapolated point and its logits
    momentum, curvature = 1.0, at_zero.curvature
    # Below the rounding error of the loss no step would pass the test, however short.
    slack = max(1e-9, 2 * torch.finfo(Z.dtype).eps * (1 + at_zero.objective))
    n_iter, n_steps = 2, 0
    with tqdm(desc="fit probe", unit="pass", disable=None, delay=2, leave=False) as progress:
        while True:
            residual = problem.residual(U)
            gradient, intercept_gradient = problem.gradient(residual), residual.mean(0)
            loss = problem.loss(U)
            curvature *= 0.95  # let the step grow again: backtracking alone only shrinks it
            while True:
                W_next = _shrink(V - gradient / curvature, problem, curvature)
                b_next = c - intercept_gradient / curvature
                Z_next = problem.logits(W_next, b_next)
                n_iter += 1
                dW, db = W_next - V, b_next - c
                linear = _dot(gradient, dW) + _dot(intercept_gradient, db)
                bound = loss + linear + curvature / 2 * (_dot(dW, dW) + _dot(db, db))
                if problem.loss(Z_next) <= bound + slack or n_iter >= max_iter:
                    break
                curvature *= 1.5
            uphill = _dot(dW, W_next - W) + _dot(db, b_next - b) < 0
            following = 1.0 if uphill else (1 + (1 + 4 * momentum**2) ** 0.5) / 2
            beta = 0.0 if uphill else (momentum - 1) / following
            V = torch.lerp(W, W_next, 1 + beta)
            c = torch.lerp(b, b_next, 1 + beta)
            U = torch.lerp(Z, Z_next, 1 + beta)
            W, b, Z, momentum = W_next, b_next, Z_next, following
            progress.update()
            n_steps += 1
            if n_steps % CHECK_EVERY == 0 or n_iter >= max_iter:
                n_iter += 1
                best_b, kind, value, objective = _certify(problem, W, b, shares, at_zero)
                progress.set_postfix_str(f"{kind} {value:.1e}, to reach {tol:.1e}")
                if value <= tol or n_iter >= max_iter:
                    return W, best_b, Certificate(kind, value, tol, objective, n_iter)


@dataclass(frozen=True)
class _AtZero:
    """The problem at W = 0 and the best intercept: the yardstick of the certificates."""

    gradient: torch.Tensor
    curvature: float
    objective: float

    @classmethod
    def of(cls, problem: Problem, shares: torch.Tensor) -> _AtZero:
        b = shares.log().to(problem.X.dtype)
        residual = problem.residual(b.expand(len(problem.X), -1).clone())
        gradient = problem.gradient(residual)
        # Curvature of the loss along its gradient: softmax has a Hessian of at most 1/2.
        along = problem.logits(gradient, torch.zeros_like(b))
        length = _dot(gradient, gradient)
        curvature = 0.5 * _dot(along, along) / (len(problem.X) * length) if length > 0 else 1.0
        return cls(gradient, max(curvature, 1e-3), float(-torch.xlogy(shares, shares).sum()))


def _shrink(W: torch.Tensor, problem: Problem, curvature: float) -> torch.Tensor:
    """Proximal step of the elastic net: soft thresholding, then scaling."""
    shrunk = torch.nn.functional.softshrink(W, problem.l1 / curvature)
    return shrunk / (1 + 2 * problem.l2 / curvature)


def _dot(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.double() * b.double()).sum())


def _certify(
    problem: Problem,
    W: torch.Tensor,
    b: torch.Tensor,
    shares: torch.Tensor,
    at_zero: _AtZero,
) -> tuple[torch.Tensor, str, float, float]:
    """The best intercept for W, and how far both are from the optimum: b, kind, value, F.

    The dual point is theta = s * (p - y), feasible for the intercept once b is optimal. For any
    s in [0, 1] the dual objective is a lower bound on the minimum of F:

        D(theta) = -mean_i sum_c q_ic log q_ic - sum max(|X' theta / n| - l1, 0)^2 / (4 l2)

    with q = y + theta. Two scales are tried, s = 1 and the largest without second term. Should b
    not be optimal (a search through saturated logits can fail), the bound is 0.
    """
    Z = problem.logits(W, torch.zeros_like(b))
    b = _best_intercept(Z, b, shares)
    Z = Z + b
    residual = problem.residual(Z)
    gradient, intercept_gradient = problem.gradient(residual), residual.mean(0)
    objective = problem.loss(Z) + problem.penalty(W)
    if problem.l1 == 0 and problem.l2 == 0:
        norm = (_dot(gradient, gradient) + _dot(intercept_gradient, intercept_gradient)) ** 0.5
        at_start = _dot(at_zero.gradient, at_zero.gradient) ** 0.5
        return b, "gradient", norm / at_start if at_start > 0 else 0.0, objective

    steepest = float(gradient.abs().max())
    feasible = min(1.0, problem.l1 / steepest) if steepest > 0 else 1.0
    scales = {feasible, 1.0} if problem.l2 > 0 else {feasible}
    bound = 0.0
    if float(intercept_gradient.abs().max()) <= INTERCEPT_TOL:
        bound = max(_dual(problem, residual, gradient, scale) for scale in scales)
    gap = max(objective - bound, 0.0)
    return b, "duality gap", gap / at_zero.objective if at_zero.objective > 0 else gap, objective


def _dual(problem: Problem, residual: torch.Tensor, gradient: torch.Tensor, scale: float) -> float:
    q = residual * scale
    q[torch.arange(len(q), device=q.device), problem.y] += 1
    q.clamp_(min=0)  # rounding can leave -1e-8
    entropy = -float(torch.xlogy(q, q).sum(1).mean(dtype=torch.float64))
    excess = ((scale * gradient).abs().double() - problem.l1).clamp(min=0)
    if problem.l2 == 0:
        return entropy
    return entropy - float(excess.square().sum()) / (4 * problem.l2)


def _best_intercept(Z: torch.Tensor, b: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Minimise the loss over b alone, for logits Z without it: damped Newton in float64."""
    Z64, b64 = Z.double(), b.double()

    def loss(b: torch.Tensor) -> float:
        return float(torch.logsumexp(Z64 + b, 1).mean() - shares @ b)

    current = loss(b64)
    for _ in range(50):
        P = torch.softmax(Z64 + b64, 1)
        gradient = P.mean(0) - shares
        if float(gradient.abs().max()) < 1e-12:
            break
        # The loss is flat along equal shifts of all classes; 1/C fills that direction.
        hessian = torch.diag(P.mean(0)) - P.T @ P / len(P) + 1 / len(b64)
        hessian.diagonal().add_(1e-12)
        direction = torch.linalg.solve(hessian, gradient)
        step = 1.0
        while step > 1e-6 and not loss(b64 - step * direction) <= current:  # NaN is no progress
            step /= 2
        if step <= 1e-6:
            break
        b64 = b64 - step * direction
        current = loss(b64)
    return b64.to(b.dtype)
