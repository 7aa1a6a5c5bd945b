//! The structure of an expression.
//!
//! `and` and `or` have the same precedence and associate to the left, `not` binds tighter, and an identifier without
//! qualifiers takes those of the term before it (`port 53 or 54`). Primitives are compiled as they are read, since
//! `vlan` changes what is behind it.

use super::lexer::{self, Token};
use super::node::{Node, Operator, Size, Test, Value};
use super::primitive::{Compiler, Direction, Kind, Qualifiers};
use super::{Error, Target};

/// Parentheses, brackets and negations may nest so deep.
const NESTING_MAX: u32 = 100;
/// Words of an expression.
const WORDS_MAX: usize = 4000;

pub(crate) fn parse(text: &str, target: Target) -> Result<Option<Node>, Error> {
    let (tokens, lexical_error) = tokens(text)?;
    if tokens.is_empty() {
        return match lexical_error {
            Some(error) => Err(error),
            None => Ok(None),
        };
    }
    let mut parser = Parser { tokens, at: 0, nesting: 0, lexical_error, compiler: Compiler::new(target) };
    let (node, _) = parser.expression(&Qualifiers::UNDEFINED)?;
    if parser.at < parser.tokens.len() || parser.lexical_error.is_some() {
        return Err(parser.error());
    }
    match node.constant() {
        Some(false) => Err(Error::new("expression rejects all packets")),
        _ => Ok(Some(node)),
    }
}

/// The words up to the first that is none: what is wrong before it is found first.
fn tokens(text: &str) -> Result<(Vec<Token>, Option<Error>), Error> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        match lexer::next(rest) {
            Ok(None) => return Ok((tokens, None)),
            Ok(Some((token, behind))) => {
                tokens.push(token);
                rest = behind;
            }
            Err(error) => return Ok((tokens, Some(error))),
        }
        if tokens.len() > WORDS_MAX {
            return Err(Error::new("can't parse filter expression: memory exhausted"));
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    nesting: u32,
    /// Why there are no more tokens.
    lexical_error: Option<Error>,
    compiler: Compiler,
}

impl Parser {
    /// `term { and|or (term|identifier) }`
    fn expression(&mut self, before: &Qualifiers) -> Result<(Node, Qualifiers), Error> {
        let (mut node, mut qualifiers) = self.term(before)?;
        loop {
            let all = match self.peek() {
                Some(Token::Keyword("and")) => true,
                Some(Token::Keyword("or")) => false,
                _ => return Ok((node, qualifiers)),
            };
            self.at += 1;
            let next = if self.is_identifier(self.at) {
                self.identifier(&qualifiers)?
            } else {
                let (next, own) = self.term(&qualifiers)?;
                qualifiers = own;
                next
            };
            node = if all { node.and(next) } else { node.or(next) };
        }
    }

    fn term(&mut self, before: &Qualifiers) -> Result<(Node, Qualifiers), Error> {
        self.nested(|parser| parser.term_here(before))
    }

    fn term_here(&mut self, before: &Qualifiers) -> Result<(Node, Qualifiers), Error> {
        let undefined = Qualifiers::UNDEFINED;
        let Some(token) = self.peek().cloned() else { return Err(self.error()) };
        match token {
            Token::Symbol("!") | Token::Keyword("not") => {
                self.at += 1;
                let (node, qualifiers) = self.term(before)?;
                Ok((node.not(), qualifiers))
            }
            Token::Symbol("(") if !self.is_arithmetic_parenthesis() => {
                self.at += 1;
                let (node, _) = self.expression(before)?;
                self.expect(")")?;
                Ok((node, *before))
            }
            Token::Symbol("(" | "-") | Token::Number(_) | Token::Keyword("len") => {
                Ok((self.relation()?, undefined))
            }
            Token::Keyword(word) => {
                if Qualifiers::is_protocol(word) {
                    if self.tokens.get(self.at + 1) == Some(&Token::Symbol("[")) {
                        return Ok((self.relation()?, undefined));
                    }
                    return self.protocol(word);
                }
                if let Some(node) = self.other(word)? {
                    return Ok((node, undefined));
                }
                self.qualified(None)
            }
            _ => Err(self.error()),
        }
    }

    /// A term that starts with a protocol.
    fn protocol(&mut self, protocol: &'static str) -> Result<(Node, Qualifiers), Error> {
        self.at += 1;
        match self.peek() {
            Some(Token::Keyword(
                "src" | "dst" | "host" | "net" | "port" | "portrange" | "proto" | "protochain" | "gateway"
                | "addr1" | "addr2" | "addr3" | "addr4" | "ra" | "ta",
            )) => self.qualified(Some(protocol)),
            Some(Token::Keyword("broadcast")) => {
                self.at += 1;
                Ok((self.compiler.broadcast(Some(protocol))?, Qualifiers::UNDEFINED))
            }
            Some(Token::Keyword("multicast")) => {
                self.at += 1;
                Ok((self.compiler.multicast(Some(protocol))?, Qualifiers::UNDEFINED))
            }
            None | Some(Token::Keyword("and" | "or") | Token::Symbol(")")) => {
                Ok((self.compiler.protocol(protocol)?, Qualifiers::UNDEFINED))
            }
            Some(_) => Err(self.error()),
        }
    }

    /// Qualifiers and an identifier.
    fn qualified(&mut self, protocol: Option<&'static str>) -> Result<(Node, Qualifiers), Error> {
        let direction = self.direction()?;
        let kind = match self.peek() {
            Some(Token::Keyword("host")) => Some(Kind::Host),
            Some(Token::Keyword("net")) => Some(Kind::Net),
            Some(Token::Keyword("port")) => Some(Kind::Port),
            Some(Token::Keyword("portrange")) => Some(Kind::PortRange),
            Some(Token::Keyword("proto")) if direction.is_none() => Some(Kind::Protocol),
            Some(Token::Keyword("protochain")) if direction.is_none() => Some(Kind::ProtocolChain),
            Some(Token::Keyword("gateway")) if direction.is_none() => Some(Kind::Gateway),
            _ => None,
        };
        if kind.is_some() {
            self.at += 1;
        } else if direction.is_none() {
            return Err(self.error());
        }
        let qualifiers = Qualifiers {
            protocol,
            direction: direction.unwrap_or(Direction::Default),
            kind: kind.unwrap_or(Kind::Default),
        };
        Ok((self.identifier(&qualifiers)?, qualifiers))
    }

    fn direction(&mut self) -> Result<Option<Direction>, Error> {
        let first = match self.peek() {
            Some(Token::Keyword(word @ ("src" | "dst"))) => *word,
            Some(Token::Keyword(word @ ("addr1" | "addr2" | "addr3" | "addr4" | "ra" | "ta"))) => {
                return Err(Error::new(format!("'{word}' is supported only on 802.11")));
            }
            _ => return Ok(None),
        };
        self.at += 1;
        let other = if first == "src" { "dst" } else { "src" };
        let joined = match (self.peek(), self.tokens.get(self.at + 1)) {
            (Some(Token::Keyword(join @ ("and" | "or"))), Some(Token::Keyword(word))) if *word == other => {
                Some(if *join == "and" { Direction::Both } else { Direction::Either })
            }
            _ => None,
        };
        if let Some(joined) = joined {
            self.at += 2;
            return Ok(Some(joined));
        }
        Ok(Some(if first == "src" { Direction::Source } else { Direction::Destination }))
    }

    /// Whether an identifier without qualifiers of its own starts here, rather than a term.
    fn is_identifier(&self, at: usize) -> bool {
        let mut inside = at;
        let mut open = 0usize;
        while let Some(Token::Symbol("(" | "!") | Token::Keyword("not")) = self.tokens.get(inside) {
            open += usize::from(self.tokens.get(inside) == Some(&Token::Symbol("(")));
            inside += 1;
        }
        match self.tokens.get(inside) {
            Some(Token::Name(_) | Token::Dotted(_) | Token::Ipv6(..) | Token::Mac(_) | Token::Arcnet) => true,
            Some(Token::Number(_)) => {
                // An operator behind the number makes it arithmetic.
                let mut behind = inside + 1;
                while open > 0 && self.tokens.get(behind) == Some(&Token::Symbol(")")) {
                    behind += 1;
                    open -= 1;
                }
                !self.is_operator(behind)
            }
            _ => false,
        }
    }

    fn is_operator(&self, at: usize) -> bool {
        matches!(
            self.tokens.get(at),
            Some(Token::Symbol(
                "+" | "-"
                    | "*"
                    | "/"
                    | "%"
                    | "&"
                    | "|"
                    | "^"
                    | "<<"
                    | ">>"
                    | "="
                    | "!="
                    | "<"
                    | ">"
                    | "<="
                    | ">="
            ))
        )
    }

    /// Whether the parenthesis here encloses a number: an operator is behind it.
    fn is_arithmetic_parenthesis(&self) -> bool {
        let mut depth = 0usize;
        for (offset, token) in self.tokens[self.at..].iter().enumerate() {
            match token {
                Token::Symbol("(") => depth += 1,
                Token::Symbol(")") => {
                    depth -= 1;
                    if depth == 0 {
                        return self.is_operator(self.at + offset + 1);
                    }
                }
                _ => {}
            }
        }
        false
    }

    fn identifier(&mut self, qualifiers: &Qualifiers) -> Result<Node, Error> {
        self.nested(|parser| parser.identifier_here(qualifiers))
    }

    fn identifier_here(&mut self, qualifiers: &Qualifiers) -> Result<Node, Error> {
        let Some(token) = self.peek().cloned() else { return Err(self.error()) };
        self.at += 1;
        match token {
            Token::Symbol("!") | Token::Keyword("not") => Ok(self.identifier(qualifiers)?.not()),
            Token::Symbol("(") => {
                let mut node = self.identifier(qualifiers)?;
                loop {
                    match self.peek() {
                        Some(Token::Keyword("and")) => {
                            self.at += 1;
                            node = node.and(self.identifier(qualifiers)?);
                        }
                        Some(Token::Keyword("or")) => {
                            self.at += 1;
                            node = node.or(self.identifier(qualifiers)?);
                        }
                        _ => break,
                    }
                }
                self.expect(")")?;
                Ok(node)
            }
            Token::Name(name) => self.compiler.name(&name, qualifiers),
            Token::Number(number) => self.compiler.number(number, qualifiers),
            Token::Dotted(address) => match (self.peek().cloned(), self.tokens.get(self.at + 1).cloned()) {
                (Some(Token::Symbol("/")), Some(Token::Number(length))) => {
                    self.at += 2;
                    self.compiler.prefix(&address, length, qualifiers)
                }
                (Some(Token::Symbol("/")), _) => {
                    self.at += 1;
                    Err(self.error())
                }
                (Some(Token::Keyword("mask")), Some(Token::Dotted(mask))) => {
                    self.at += 2;
                    self.compiler.masked(&address, &mask, qualifiers)
                }
                (Some(Token::Keyword("mask")), _) => {
                    self.at += 1;
                    Err(self.error())
                }
                _ => self.compiler.dotted(&address, qualifiers),
            },
            Token::Ipv6(address, text) => match (self.peek().cloned(), self.tokens.get(self.at + 1).cloned())
            {
                (Some(Token::Symbol("/")), Some(Token::Number(length))) => {
                    self.at += 2;
                    self.compiler.ipv6(address, &text, length, qualifiers)
                }
                _ => self.compiler.ipv6(address, &text, 128, qualifiers),
            },
            Token::Mac(address) => self.compiler.mac(address, qualifiers),
            Token::Arcnet => Err(Error::new("aid supported only on ARCnet")),
            _ => {
                self.at -= 1;
                Err(self.error())
            }
        }
    }

    /// Terms with a keyword of their own; none if the word is none of them.
    fn other(&mut self, word: &str) -> Result<Option<Node>, Error> {
        let start = self.at;
        self.at += 1;
        let node = match word {
            "broadcast" => self.compiler.broadcast(None)?,
            "multicast" => self.compiler.multicast(None)?,
            "less" => Node::Length { test: Test::Greater, value: self.expect_number()? }.not(),
            "greater" => Node::Length { test: Test::GreaterOrEqual, value: self.expect_number()? },
            "byte" => self.byte()?,
            "inbound" => self.compiler.direction(false)?,
            "outbound" => self.compiler.direction(true)?,
            "ifindex" => {
                let index = self.expect_number()?;
                self.compiler.ifindex(index)?
            }
            "vlan" => {
                let id = self.optional_number();
                self.compiler.vlan(id)?
            }
            "llc" => {
                if matches!(self.peek(), Some(Token::Name(_) | Token::Keyword("rnr"))) {
                    return Err(Error::new("'llc' with a type is not supported here"));
                }
                self.compiler.llc()?
            }
            "mpls" | "pppoed" | "pppoes" | "geneve" => {
                return Err(Error::new(format!("'{word}' is not supported here")));
            }
            "type" | "subtype" | "dir" => {
                if self.peek().is_none() {
                    return Err(self.error());
                }
                return Err(Error::new("802.11 link-layer types supported only on 802.11"));
            }
            "on" | "rset" | "rnr" | "srnr" | "reason" | "action" => {
                if self.peek().is_none() {
                    return Err(self.error());
                }
                return Err(Error::new(format!("{} supported only on PF linktype", pf_term(word))));
            }
            _ => {
                self.at = start;
                return Ok(None);
            }
        };
        Ok(Some(node))
    }

    /// `byte INDEX OPERATOR VALUE`
    fn byte(&mut self) -> Result<Node, Error> {
        let index = self.expect_number()?;
        let Some(Token::Symbol(operator @ ("=" | "<" | ">"))) = self.peek().cloned() else {
            return Err(self.error());
        };
        self.at += 1;
        let value = self.expect_number()?;
        Ok(self.compiler.byte(index, operator, value))
    }

    /// Two numbers compared.
    fn relation(&mut self) -> Result<Node, Error> {
        let left = self.sum(0)?;
        let (test, reversed) = match self.peek() {
            Some(Token::Symbol("=")) => (Test::Equal, false),
            Some(Token::Symbol("!=")) => (Test::Equal, true),
            Some(Token::Symbol(">")) => (Test::Greater, false),
            Some(Token::Symbol("<=")) => (Test::Greater, true),
            Some(Token::Symbol(">=")) => (Test::GreaterOrEqual, false),
            Some(Token::Symbol("<")) => (Test::GreaterOrEqual, true),
            _ => return Err(self.error()),
        };
        self.at += 1;
        let right = self.sum(0)?;
        let guard = match (left.guard, right.guard) {
            (Some(left), Some(right)) => Some(left.and(right)),
            (left, right) => left.or(right),
        };
        Ok(Node::Relation {
            guard: guard.map(Box::new),
            left: left.value,
            right: right.value,
            test,
            reversed,
        })
    }

    /// Operators of at least a precedence, from the left. `%` and `^` have none in libpcap's grammar, which then
    /// always reads on: they take what is right of them whole.
    fn sum(&mut self, lowest: u8) -> Result<Guarded, Error> {
        self.nested(|parser| {
            let mut left = parser.factor()?;
            while let Some((operator, precedence)) = parser.operator() {
                if precedence.is_some_and(|own| own < lowest) {
                    break;
                }
                parser.at += 1;
                let right = parser.sum(precedence.map_or(0, |own| own + 1))?;
                check_constant(operator, &right.value)?;
                // As in libpcap, the right side's protocol is not checked.
                let value =
                    Value::Binary { operator, left: Box::new(left.value), right: Box::new(right.value) };
                left = Guarded { guard: left.guard, value };
            }
            Ok(left)
        })
    }

    fn operator(&self) -> Option<(Operator, Option<u8>)> {
        let Some(Token::Symbol(symbol)) = self.peek() else { return None };
        Some(match *symbol {
            "|" => (Operator::Or, Some(0)),
            "^" => (Operator::Xor, None),
            "&" => (Operator::And, Some(1)),
            "<<" => (Operator::ShiftLeft, Some(2)),
            ">>" => (Operator::ShiftRight, Some(2)),
            "+" => (Operator::Add, Some(3)),
            "-" => (Operator::Subtract, Some(3)),
            "*" => (Operator::Multiply, Some(4)),
            "/" => (Operator::Divide, Some(4)),
            "%" => (Operator::Modulo, None),
            _ => return None,
        })
    }

    fn factor(&mut self) -> Result<Guarded, Error> {
        let Some(token) = self.peek().cloned() else { return Err(self.error()) };
        self.at += 1;
        let plain = |value| Ok(Guarded { guard: None, value });
        match token {
            Token::Number(number) => plain(Value::Constant(number)),
            Token::Keyword("len") => plain(Value::PacketLength),
            Token::Symbol("-") => {
                let Guarded { guard, value } = self.nested(Parser::factor)?;
                Ok(Guarded { guard, value: Value::Negate(Box::new(value)) })
            }
            Token::Symbol("(") => {
                let inner = self.sum(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Keyword(protocol) if Qualifiers::is_protocol(protocol) => {
                self.expect("[")?;
                let index = self.sum(0)?;
                let mut bytes = 1;
                if self.peek() == Some(&Token::Symbol(":")) {
                    self.at += 1;
                    bytes = self.expect_number()?;
                }
                self.expect("]")?;
                let size = Size::of(bytes).ok_or_else(|| Error::new("data size must be 1, 2, or 4"))?;
                let (guard, value) = self.compiler.load(protocol, index.value, index.guard, size)?;
                Ok(Guarded { guard, value })
            }
            _ => {
                self.at -= 1;
                Err(self.error())
            }
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn expect(&mut self, symbol: &'static str) -> Result<(), Error> {
        if self.peek() != Some(&Token::Symbol(symbol)) {
            return Err(self.error());
        }
        self.at += 1;
        Ok(())
    }

    fn expect_number(&mut self) -> Result<u32, Error> {
        let Some(Token::Number(number)) = self.peek() else { return Err(self.error()) };
        let number = *number;
        self.at += 1;
        Ok(number)
    }

    fn optional_number(&mut self) -> Option<u32> {
        let Some(Token::Number(number)) = self.peek() else { return None };
        let number = *number;
        self.at += 1;
        Some(number)
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.nesting >= NESTING_MAX {
            return Err(Error::new("can't parse filter expression: memory exhausted"));
        }
        self.nesting += 1;
        let result = inner(self);
        self.nesting -= 1;
        result
    }

    /// Why the parse ends here.
    fn error(&self) -> Error {
        match &self.lexical_error {
            Some(error) if self.at >= self.tokens.len() => error.clone(),
            _ => Error::syntax(),
        }
    }
}

/// A number, and what must hold before it is computed.
struct Guarded {
    guard: Option<Node>,
    value: Value,
}

fn check_constant(operator: Operator, right: &Value) -> Result<(), Error> {
    match (operator, right) {
        (Operator::Divide, Value::Constant(0)) => Err(Error::new("division by zero")),
        (Operator::Modulo, Value::Constant(0)) => Err(Error::new("modulus by zero")),
        (Operator::ShiftLeft | Operator::ShiftRight, Value::Constant(32..)) => {
            Err(Error::new("shift by more than 31 bits"))
        }
        _ => Ok(()),
    }
}

fn pf_term(word: &str) -> &str {
    match word {
        "on" => "ifname",
        "rset" => "ruleset",
        "rnr" => "rulenum",
        "srnr" => "srnr",
        word => word,
    }
}
