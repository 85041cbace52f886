//! PowerQuery: a condition, then commands joined by `|` that narrow, shape, count, sort and cut the rows.

use std::collections::{BTreeMap, BTreeSet};

use super::expr::{Expr, Reader, Token, tokens, unexpected};
use super::{Column, DEFAULT_ROWS, MAX_ROWS, QueryError, Table};
use crate::telemetry::{Cell, Event, value};
use crate::world::{Agent, World};

/// What a query shows that names no columns.
const USUAL: [&str; 8] = [
    "event.time",
    "event.type",
    "site.id",
    "endpoint.name",
    "src.process.name",
    "src.process.cmdline",
    "src.process.storyline.id",
    "event.id",
];

#[derive(Debug)]
pub(crate) struct Query {
    commands: Vec<Command>,
}

#[derive(Debug)]
enum Command {
    Filter(Expr),
    /// Output name, as written, and the field behind it.
    Columns(Vec<(String, String)>),
    Let(String, Source),
    Group {
        sums: Vec<(String, Sum)>,
        by: Vec<(String, String)>,
    },
    Sort(Vec<(String, bool)>),
    Limit(usize),
}

#[derive(Debug)]
enum Source {
    Field(String),
    Literal(Cell),
    Lower(String),
}

#[derive(Debug)]
enum Sum {
    Count(Option<Expr>),
    Distinct(String),
    Least(String),
    Most(String),
    Any(String),
}

pub(crate) fn parse(text: &str) -> Result<Query, QueryError> {
    let mut reader = Reader::new(tokens(text, true)?, true, |name| Ok(name.to_lowercase()));
    let mut commands = Vec::new();
    if !matches!(reader.peek(), None | Some(Token::Sign("|"))) {
        // The first condition may be written with its command's name or without.
        reader.keyword("filter");
        commands.push(Command::Filter(reader.condition(0)?));
    }
    while reader.sign("|") {
        commands.push(command(&mut reader)?);
    }
    if !reader.done() {
        return Err(unexpected(reader.peek(), "`|` or the end"));
    }
    Ok(Query { commands })
}

fn command(reader: &mut Reader) -> Result<Command, QueryError> {
    let word = reader.word()?.to_lowercase();
    Ok(match word.as_str() {
        "filter" => Command::Filter(reader.condition(0)?),
        "columns" => Command::Columns(listed(reader)?),
        "let" => {
            let name = reader.field()?;
            reader.expect("=")?;
            Command::Let(name, source(reader)?)
        }
        "group" => {
            let mut sums = vec![sum(reader)?];
            while reader.sign(",") {
                sums.push(sum(reader)?);
            }
            let by = if reader.keyword("by") { listed(reader)? } else { Vec::new() };
            Command::Group { sums, by }
        }
        "sort" => {
            let mut keys = Vec::new();
            loop {
                let down = reader.sign("-");
                if !down {
                    reader.sign("+");
                }
                keys.push((reader.field()?, down));
                if !reader.sign(",") {
                    break Command::Sort(keys);
                }
            }
        }
        "limit" => {
            let count = reader.literal()?;
            Command::Limit(count.parse().map_err(|_| QueryError(format!("`{count}` is no number of rows")))?)
        }
        other => return Err(QueryError(format!("`{other}` is no command that this console knows"))),
    })
}

/// `a, b = c.d`: names and the fields behind them.
fn listed(reader: &mut Reader) -> Result<Vec<(String, String)>, QueryError> {
    let mut list = Vec::new();
    loop {
        let name = reader.word()?;
        let field = if reader.sign("=") { reader.field()? } else { name.to_lowercase() };
        list.push((name, field));
        if !reader.sign(",") {
            return Ok(list);
        }
    }
}

fn source(reader: &mut Reader) -> Result<Source, QueryError> {
    if let Some(Token::Text(_)) = reader.peek() {
        return Ok(Source::Literal(Cell::Text(reader.literal()?)));
    }
    let word = reader.word()?;
    if let Ok(number) = word.parse() {
        return Ok(Source::Literal(Cell::Number(number)));
    }
    if word.eq_ignore_ascii_case("lower") && reader.sign("(") {
        let field = reader.field()?;
        reader.expect(")")?;
        return Ok(Source::Lower(field));
    }
    Ok(Source::Field(word.to_lowercase()))
}

/// `n = count()`, with the name or without.
fn sum(reader: &mut Reader) -> Result<(String, Sum), QueryError> {
    let mut word = reader.word()?;
    let name = if reader.sign("=") { Some(std::mem::replace(&mut word, reader.word()?)) } else { None };
    reader.expect("(")?;
    let function = word.to_lowercase();
    if function == "count" {
        let condition = if matches!(reader.peek(), Some(Token::Sign(")"))) { None } else { Some(reader.condition(0)?) };
        reader.expect(")")?;
        return Ok((name.unwrap_or_else(|| "count()".to_owned()), Sum::Count(condition)));
    }
    let field = reader.field()?;
    reader.expect(")")?;
    let name = name.unwrap_or_else(|| format!("{function}({field})"));
    Ok((
        name,
        match function.as_str() {
            "estimate_distinct" => Sum::Distinct(field),
            "min" | "oldest" => Sum::Least(field),
            "max" | "newest" => Sum::Most(field),
            "any" | "first" => Sum::Any(field),
            _ => return Err(QueryError(format!("`{function}` is no function that this console knows"))),
        },
    ))
}

/// A row on its way: an event, or what commands made of it.
struct Row<'a> {
    event: Option<(&'a Event, &'a Agent)>,
    own: BTreeMap<String, Cell>,
}

impl Row<'_> {
    fn get(&self, field: &str) -> Cell {
        match (self.own.get(field), self.event) {
            (Some(cell), _) => cell.clone(),
            (None, Some((event, agent))) => value(event, agent, field),
            (None, None) => Cell::Null,
        }
    }
}

impl Query {
    pub(crate) fn run(&self, world: &World, mut events: Vec<Event>) -> Table {
        events.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
        let rows = events.iter().filter_map(|event| Some((event, world.agents.get(&event.agent)?)));
        let mut rows: Vec<Row<'_>> = rows.map(|event| Row { event: Some(event), own: BTreeMap::new() }).collect();
        let mut shown: Vec<String> = USUAL.map(str::to_owned).to_vec();
        let mut matched = rows.len();
        let (mut shaped, mut limited) = (false, false);
        for command in &self.commands {
            match command {
                Command::Filter(condition) => {
                    rows.retain(|row| condition.holds(&|field| row.get(field)));
                    if !shaped {
                        matched = rows.len();
                    }
                }
                Command::Columns(list) => {
                    for row in &mut rows {
                        let own = list.iter().map(|(name, field)| (name.to_lowercase(), row.get(field))).collect();
                        *row = Row { event: None, own };
                    }
                    shown = list.iter().map(|(name, _)| name.clone()).collect();
                    shaped = true;
                }
                Command::Let(name, source) => {
                    for row in &mut rows {
                        let cell = match source {
                            Source::Field(field) => row.get(field),
                            Source::Literal(cell) => cell.clone(),
                            Source::Lower(field) => Cell::Text(row.get(field).shown().to_lowercase()),
                        };
                        row.own.insert(name.clone(), cell);
                    }
                    shown.push(name.clone());
                }
                Command::Group { sums, by } => {
                    rows = grouped(&rows, sums, by);
                    shown = by.iter().map(|(name, _)| name).chain(sums.iter().map(|(name, _)| name)).cloned().collect();
                    shaped = true;
                }
                Command::Sort(keys) => sort(&mut rows, keys),
                Command::Limit(count) => {
                    rows.truncate((*count).min(MAX_ROWS));
                    limited = true;
                }
            }
        }
        let cut = !limited && rows.len() > DEFAULT_ROWS;
        if cut {
            rows.truncate(DEFAULT_ROWS);
        }
        let cells: Vec<Vec<Cell>> =
            rows.iter().map(|row| shown.iter().map(|name| row.get(&name.to_lowercase())).collect()).collect();
        let columns = shown.iter().enumerate().map(|(n, name)| {
            let number = cells.iter().any(|row| matches!(row[n], Cell::Number(_)));
            let kind = match (name.as_str(), number) {
                ("event.time" | "timestamp", _) => "TIMESTAMP",
                (_, true) => "NUMBER",
                _ => "STRING",
            };
            Column { name: name.clone(), kind }
        });
        Table { columns: columns.collect(), rows: cells, matched, cut }
    }
}

fn grouped<'a>(rows: &[Row<'_>], sums: &[(String, Sum)], by: &[(String, String)]) -> Vec<Row<'a>> {
    let mut groups: BTreeMap<Vec<String>, Vec<&Row<'_>>> = BTreeMap::new();
    for row in rows {
        groups.entry(by.iter().map(|(_, field)| row.get(field).shown()).collect()).or_default().push(row);
    }
    let rows = groups.into_values().map(|members| {
        let mut own = BTreeMap::new();
        for (name, field) in by {
            own.insert(name.to_lowercase(), members.first().map_or(Cell::Null, |row| row.get(field)));
        }
        for (name, sum) in sums {
            own.insert(name.to_lowercase(), sum.over(&members));
        }
        Row { event: None, own }
    });
    rows.collect()
}

impl Sum {
    fn over(&self, rows: &[&Row<'_>]) -> Cell {
        let count = |n: usize| Cell::Number(i64::try_from(n).unwrap_or(i64::MAX));
        let there =
            |field: &str| rows.iter().map(|row| row.get(field)).filter(|cell| *cell != Cell::Null).collect::<Vec<_>>();
        match self {
            Self::Count(None) => count(rows.len()),
            Self::Count(Some(condition)) => {
                count(rows.iter().filter(|row| condition.holds(&|field| row.get(field))).count())
            }
            Self::Distinct(field) => count(there(field).iter().map(Cell::shown).collect::<BTreeSet<_>>().len()),
            Self::Least(field) => there(field).into_iter().min_by(order).unwrap_or(Cell::Null),
            Self::Most(field) => there(field).into_iter().max_by(order).unwrap_or(Cell::Null),
            Self::Any(field) => there(field).into_iter().next().unwrap_or(Cell::Null),
        }
    }
}

fn sort(rows: &mut [Row<'_>], keys: &[(String, bool)]) {
    rows.sort_by(|a, b| {
        let by = keys.iter().map(|(field, down)| {
            let order = order(&a.get(field), &b.get(field));
            if *down { order.reverse() } else { order }
        });
        by.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
}

fn order(a: &Cell, b: &Cell) -> std::cmp::Ordering {
    match (a, b) {
        (Cell::Number(a), Cell::Number(b)) => a.cmp(b),
        _ => a.shown().cmp(&b.shown()),
    }
}
