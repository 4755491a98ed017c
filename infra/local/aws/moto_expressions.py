"""Spares moto what it does anew with each expression: most of the time of an update.

It reads the same text several times for a call, copies the tree that it makes of it attribute for
attribute, and asks of each node, ten times, which of dozens of abstract classes it belongs to.
"""

import pickle
from collections import deque
from functools import cache, lru_cache, wraps
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.parsing import ast_nodes, expressions, validators

MAX_EXPRESSIONS = 512  # of both kinds; the gateway has some dozens
# Without types: what is replaced is not exported, or has none.
_NODES: Any = ast_nodes
_EXPRESSIONS: Any = expressions
_VALIDATORS: Any = validators
_CLASSES: dict[type, tuple[type, ...]] = {}


def install() -> None:
    """Replace these computations in this process; calling it again is harmless."""
    if _VALIDATORS.deepcopy is _copy:
        return
    # Validators work on a copy, so that the tree can be used again.
    parser = _EXPRESSIONS.UpdateExpressionParser
    parser.make = lru_cache(MAX_EXPRESSIONS)(parser.make)
    _VALIDATORS.deepcopy = _copy
    _NODES.DepthFirstTraverser.traverse_node_recursively = _traverse
    for validator, name in (
        (_VALIDATORS.ActionCountValidator, "verify_action_counts"),
        (_VALIDATORS.OverlappingPathsValidator, "check_for_overlapping_paths"),
    ):
        setattr(validator, name, _at_root(getattr(validator, name)))
    lex = ConditionExpressionParser._lex_condition_expression  # noqa: SLF001
    ConditionExpressionParser._lex_condition_expression = _remember(lex)  # type: ignore[method-assign]  # noqa: SLF001


def _copy(tree: Any) -> Any:
    return pickle.loads(pickle.dumps(tree))  # noqa: S301  what it has just written


def _remember(lex: Any) -> Any:
    """Lex each text of a condition once; the nodes are tuples, and do not depend on the values."""

    @lru_cache(MAX_EXPRESSIONS)
    def lex_text(text: str | None) -> tuple[Any, ...]:
        return tuple(lex(ConditionExpressionParser(text, None, None)))

    @wraps(lex)
    def lex_once(parser: ConditionExpressionParser) -> deque[Any]:
        return deque(lex_text(parser.condition_expression))

    return lex_once


def _at_root(check: Any) -> Any:
    """Check the whole expression, and not each part of it again: its parts are in it."""

    @wraps(check)
    def check_root(validator: Any, node: Any) -> Any:
        return node if node.parent else check(validator, node)

    return check_root


def _traverse(traverser: Any, node: Any, child_id: int = -1) -> Any:
    """Process nodes bottom up, as moto does, but look up by its exact type whether one is to be."""
    if not hasattr(node, "children"):  # a leaf is text
        return node
    parent = node.parent
    for index, child in enumerate(node.children or ()):
        traverser.pre_processing_of_child(node, index)
        traverser.traverse_node_recursively(child, index)
    kind: Any = type(node)
    if _is_one_of(kind, _processed_classes(traverser)):
        node = traverser.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


def _processed_classes(traverser: Any) -> tuple[type, ...]:
    """Return the classes of the nodes that traversers of this type process."""
    kind = type(traverser)
    if kind not in _CLASSES:
        _CLASSES[kind] = traverser.nodes_to_be_processed()
    return _CLASSES[kind]


@cache
def _is_one_of(kind: type, classes: tuple[type, ...]) -> bool:
    return issubclass(kind, classes)
