//! Conditions: words, their grammar and what they mean. S1QL and PowerQuery write them a little differently; a reader
//! with `dotted` set reads the second.

use super::QueryError;
use crate::telemetry::Cell;

/// How deep conditions may be nested.
const MAX_DEPTH: usize = 40;
/// The most values in one list.
const MAX_LIST: usize = 100;

#[derive(Clone, Debug)]
pub(crate) enum Expr {
    All,
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Test { field: String, test: Test },
}

#[derive(Clone, Debug)]
pub(crate) enum Test {
    Exists,
    Equal(Vec<String>, bool),
    Contains(Vec<String>, bool),
    Starts(Vec<String>, bool),
    Ends(Vec<String>, bool),
    Matches(regex::Regex),
    Less(String, bool),
    More(String, bool),
}

impl Expr {
    pub(crate) fn holds(&self, value: &impl Fn(&str) -> Cell) -> bool {
        match self {
            Self::All => true,
            Self::And(a, b) => a.holds(value) && b.holds(value),
            Self::Or(a, b) => a.holds(value) || b.holds(value),
            Self::Not(inner) => !inner.holds(value),
            Self::Test { field, test } => test.holds(&value(field)),
        }
    }
}

impl Test {
    fn holds(&self, cell: &Cell) -> bool {
        if *cell == Cell::Null {
            return false;
        }
        let text = cell.shown();
        let any = |list: &[String], loose: bool, holds: &dyn Fn(&str, &str) -> bool| {
            if !loose {
                return list.iter().any(|wanted| holds(&text, wanted));
            }
            let low = text.to_lowercase();
            list.iter().any(|wanted| holds(&low, &wanted.to_lowercase()))
        };
        match self {
            Self::Exists => true,
            Self::Equal(list, loose) => any(list, *loose, &|text, wanted| text == wanted),
            Self::Contains(list, loose) => any(list, *loose, &|text, wanted| text.contains(wanted)),
            Self::Starts(list, loose) => any(list, *loose, &|text, wanted| text.starts_with(wanted)),
            Self::Ends(list, loose) => any(list, *loose, &|text, wanted| text.ends_with(wanted)),
            Self::Matches(regex) => regex.is_match(&text),
            Self::Less(than, or_equal) => ordered(&text, than, *or_equal, true),
            Self::More(than, or_equal) => ordered(&text, than, *or_equal, false),
        }
    }
}

/// Compares as numbers when both are numbers, else as texts.
fn ordered(text: &str, than: &str, or_equal: bool, less: bool) -> bool {
    let order = match (text.parse::<i64>(), than.parse::<i64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => text.cmp(than),
    };
    if less { order.is_lt() || or_equal && order.is_eq() } else { order.is_gt() || or_equal && order.is_eq() }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Word(String),
    Text(String),
    Sign(&'static str),
}

/// Cuts a query into words. Only PowerQuery's texts know a backslash escape; in S1QL a Windows path stands as it is.
pub(crate) fn tokens(text: &str, escapes: bool) -> Result<Vec<Token>, QueryError> {
    const SIGNS: [&str; 19] =
        ["<>", "!=", "==", "<=", ">=", "&&", "||", "=", "<", ">", "(", ")", ",", "|", "!", "*", ":", "+", "-"];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let (inner, after) = quoted(&rest[1..], first, escapes)?;
            tokens.push(Token::Text(inner));
            rest = after;
        } else if first.is_alphanumeric() || first == '_' || first == '#' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || "._#".contains(c))).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            return Err(QueryError(format!("`{first}` is not understood here")));
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

fn quoted(rest: &str, quote: char, escapes: bool) -> Result<(String, &str), QueryError> {
    let mut inner = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Ok((inner, &rest[at + c.len_utf8()..])),
            '\\' if escapes => {
                if let Some((_, escaped)) = chars.next() {
                    inner.push(escaped);
                }
            }
            _ => inner.push(c),
        }
    }
    Err(QueryError("a text does not end".to_owned()))
}

/// Reads tokens one after the other.
pub(crate) struct Reader {
    tokens: Vec<Token>,
    at: usize,
    /// PowerQuery: fields are dotted and `|` ends a condition.
    dotted: bool,
    /// Turns a field as written into its dotted lower-case name.
    name: fn(&str) -> Result<String, QueryError>,
}

impl Reader {
    pub(crate) fn new(tokens: Vec<Token>, dotted: bool, name: fn(&str) -> Result<String, QueryError>) -> Self {
        Self { tokens, at: 0, dotted, name }
    }

    pub(crate) fn done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    pub(crate) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(crate) fn sign(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(there);
        there
    }

    pub(crate) fn keyword(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(there);
        there
    }

    pub(crate) fn word(&mut self) -> Result<String, QueryError> {
        match self.tokens.get(self.at).cloned() {
            Some(Token::Word(word)) => {
                self.at += 1;
                Ok(word)
            }
            other => Err(unexpected(other.as_ref(), "a name")),
        }
    }

    pub(crate) fn field(&mut self) -> Result<String, QueryError> {
        let word = self.word()?;
        (self.name)(&word)
    }

    pub(crate) fn literal(&mut self) -> Result<String, QueryError> {
        match self.tokens.get(self.at).cloned() {
            Some(Token::Word(text) | Token::Text(text)) => {
                self.at += 1;
                Ok(text)
            }
            other => Err(unexpected(other.as_ref(), "a value")),
        }
    }

    pub(crate) fn expect(&mut self, sign: &str) -> Result<(), QueryError> {
        if self.sign(sign) { Ok(()) } else { Err(unexpected(self.peek(), &format!("`{sign}`"))) }
    }

    pub(crate) fn condition(&mut self, depth: usize) -> Result<Expr, QueryError> {
        if depth > MAX_DEPTH {
            return Err(QueryError(format!("conditions are nested deeper than {MAX_DEPTH}")));
        }
        let mut left = self.both(depth)?;
        while self.keyword("or") || self.sign("||") {
            left = Expr::Or(Box::new(left), Box::new(self.both(depth)?));
        }
        Ok(left)
    }

    fn both(&mut self, depth: usize) -> Result<Expr, QueryError> {
        let mut left = self.single(depth)?;
        while self.keyword("and") || self.sign("&&") {
            left = Expr::And(Box::new(left), Box::new(self.single(depth)?));
        }
        Ok(left)
    }

    fn single(&mut self, depth: usize) -> Result<Expr, QueryError> {
        if depth > MAX_DEPTH {
            return Err(QueryError(format!("conditions are nested deeper than {MAX_DEPTH}")));
        }
        if self.keyword("not") || self.sign("!") {
            return Ok(Expr::Not(Box::new(self.single(depth + 1)?)));
        }
        if self.sign("(") {
            let inner = self.condition(depth + 1)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.sign("*") {
            return Ok(Expr::All);
        }
        let field = self.field()?;
        self.test(field)
    }

    fn test(&mut self, field: String) -> Result<Expr, QueryError> {
        let test = |test| Expr::Test { field: field.clone(), test };
        let not = |inner| Expr::Not(Box::new(inner));
        // Closed sets are compared without regard to case, and so is every list of the first language.
        let closed = ["event.type", "event.category", "endpoint.os"].contains(&field.as_str());
        let Some(next) = self.tokens.get(self.at).cloned() else { return Err(unexpected(None, "an operator")) };
        self.at += 1;
        let word = match next {
            Token::Sign("=" | "==") if self.sign("*") => return Ok(test(Test::Exists)),
            Token::Sign("=" | "==") => return Ok(test(Test::Equal(vec![self.literal()?], closed))),
            Token::Sign("!=" | "<>") if self.sign("*") => return Ok(not(test(Test::Exists))),
            Token::Sign("!=" | "<>") => return Ok(not(test(Test::Equal(vec![self.literal()?], closed)))),
            Token::Sign("<") => return Ok(test(Test::Less(self.literal()?, false))),
            Token::Sign("<=") => return Ok(test(Test::Less(self.literal()?, true))),
            Token::Sign(">") => return Ok(test(Test::More(self.literal()?, false))),
            Token::Sign(">=") => return Ok(test(Test::More(self.literal()?, true))),
            Token::Word(word) => word.to_lowercase(),
            other => return Err(unexpected(Some(&other), "an operator")),
        };
        Ok(match word.as_str() {
            "exists" => test(Test::Exists),
            "is" => {
                let wanted = self.keyword("not");
                if !self.keyword("empty") {
                    return Err(unexpected(self.peek(), "`EMPTY`"));
                }
                if wanted { test(Test::Exists) } else { not(test(Test::Exists)) }
            }
            "not" => return Ok(not(self.test(field)?)),
            "in" if self.keyword("contains") => {
                let loose = self.loose();
                test(Test::Contains(self.list()?, loose))
            }
            "in" => {
                let loose = self.loose() || closed || !self.dotted;
                test(Test::Equal(self.list()?, loose))
            }
            "contains" => {
                let loose = self.loose();
                test(Test::Contains(self.list()?, loose))
            }
            "containscis" => test(Test::Contains(self.list()?, true)),
            "startswith" => test(Test::Starts(self.list()?, false)),
            "startswithcis" => test(Test::Starts(self.list()?, true)),
            "endswith" => test(Test::Ends(self.list()?, false)),
            "endswithcis" => test(Test::Ends(self.list()?, true)),
            "matches" | "regexp" => {
                let pattern = self.list()?.pop().unwrap_or_default();
                let built =
                    regex::RegexBuilder::new(&pattern).size_limit(1 << 20).case_insensitive(!self.dotted).build();
                test(Test::Matches(built.map_err(|_| QueryError(format!("`{pattern}` is no regular expression")))?))
            }
            "between" => {
                let from = self.literal()?;
                if !self.keyword("and") {
                    return Err(unexpected(self.peek(), "`AND`"));
                }
                let to = self.literal()?;
                Expr::And(Box::new(test(Test::More(from, true))), Box::new(test(Test::Less(to, true))))
            }
            other => return Err(QueryError(format!("`{other}` is no operator"))),
        })
    }

    /// `AnyCase` in either spelling.
    fn loose(&mut self) -> bool {
        if self.sign(":") {
            return self.keyword("anycase") || self.keyword("nocase");
        }
        self.keyword("anycase")
    }

    /// One value, or several in parentheses.
    fn list(&mut self) -> Result<Vec<String>, QueryError> {
        if !self.sign("(") {
            return Ok(vec![self.literal()?]);
        }
        let mut list = vec![self.literal()?];
        while self.sign(",") {
            list.push(self.literal()?);
        }
        self.expect(")")?;
        if list.len() > MAX_LIST {
            return Err(QueryError(format!("a list holds more than {MAX_LIST} values")));
        }
        Ok(list)
    }
}

pub(crate) fn unexpected(token: Option<&Token>, wanted: &str) -> QueryError {
    QueryError(match token {
        None => format!("the query ends where {wanted} should stand"),
        Some(Token::Word(word) | Token::Text(word)) => format!("`{word}` stands where {wanted} should"),
        Some(Token::Sign(sign)) => format!("`{sign}` stands where {wanted} should"),
    })
}
