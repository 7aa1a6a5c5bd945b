//! How to mend what is not YAML.

use granit_parser::ErrorKind;

pub(crate) fn help(kind: &ErrorKind) -> &'static str {
    use ErrorKind as K;
    match kind {
        K::TabNotAllowed | K::TabInBlockIndentation | K::TabInIndentation | K::TabInPlainScalar => {
            "indent with blanks, not with tabs"
        }
        K::UnclosedQuotedScalar | K::InvalidQuotedScalarIndent => "close the quote",
        K::UnclosedFlowCollection { .. }
        | K::MismatchedFlowCollectionEnd { .. }
        | K::UnexpectedEofFlowSequence
        | K::UnexpectedEofFlowMapping
        | K::UnexpectedEofImplicitFlowMapping => "close every `{` with a `}` and every `[` with a `]`",
        K::MisplacedFlowCollectionEnd => "there is one closing bracket too many",
        K::SimpleKeyExpected | K::ExpectedBlockMappingKey | K::MappingKeyNotAllowed | K::InvalidSimpleKey => {
            "a line is `KEY:` or `KEY: VALUE`, indented as its neighbours"
        }
        K::ExpectedBlockSequenceEntry => "all elements of a list begin with `- `, indented alike",
        K::MappingValueNotAllowed => "a text that contains `: ` needs quotes: `\"…\"`",
        K::ExpectedFlowMappingSeparator | K::ExpectedFlowSequenceSeparator => {
            "in `{…}` and `[…]` commas separate the elements, and texts with commas need quotes"
        }
        K::BlockEntryInFlowCollection | K::PlainScalarStartsWithDashFlowIndicator => {
            "in `[…]` elements have no `- `; a text that begins with one needs quotes"
        }
        K::FlowMappingValueAdjacentCollection | K::InvalidMappingValueWhitespace => {
            "a blank must follow the colon: `KEY: VALUE`"
        }
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => {
            "the quotes must enclose the whole text"
        }
        K::UnknownQuotedScalarEscape => "write the backslash twice, or put the text in single quotes",
        K::UnknownAnchor => "a text that begins with `*` needs quotes: `\"*…\"`",
        K::UnexpectedCharacter { character } if !character.is_control() => {
            "a text that begins with this character needs quotes: `\"…\"`"
        }
        K::RecursionLimitExceeded => "a world nests six levels deep",
        _ => "a text with special characters needs quotes: `\"…\"`",
    }
}
