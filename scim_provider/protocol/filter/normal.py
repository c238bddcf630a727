"""The same filter in the shape that databases take best: equal in meaning, flatter as SQL."""

from __future__ import annotations

from collections.abc import Iterable

from .tree import And, Constant, Filter, Not, Or, P, ValuePath


def normal_form(tree: Filter[P], *, negated: bool = False) -> Filter[P]:
    """``tree``, or what it does not match, with "not" at single conditions only.

    Chains of one kind are one node, and the deepest term comes first: a parser of SQL keeps
    open what stands before a bracket, and SQLite's holds no more than a hundred such things.
    """
    match tree:
        case Not(term):
            return normal_form(term, negated=not negated)
        case And(terms) | Or(terms):
            node = And if isinstance(tree, And) != negated else Or
            normal = (normal_form(term, negated=negated) for term in terms)
            return node(tuple(sorted(_flat(node, normal), key=depth, reverse=True)))
        case Constant(value):
            return Constant(value != negated)
        case ValuePath(path, inner):
            tree = ValuePath(path, normal_form(inner))
    return Not(tree) if negated else tree


def depth(tree: Filter[P]) -> int:
    """How many nodes are inside each other."""
    return 1 + max(map(depth, _inside(tree)), default=0)


def _inside(tree: Filter[P]) -> tuple[Filter[P], ...]:
    match tree:
        case And(terms) | Or(terms):
            return terms
        case Not(term) | ValuePath(_, term):
            return (term,)
    return ()


def _flat(node: type[And[P]] | type[Or[P]], terms: Iterable[Filter[P]]) -> list[Filter[P]]:
    return [one for term in terms for one in (term.terms if isinstance(term, node) else (term,))]
