//! Makes an executable schema from its text. Root fields call their function; every other field is the member of the
//! same name of what its parent resolved to, so the text is the whole description of what can be asked.

use async_graphql::dynamic::{
    Enum, Field, FieldFuture, FieldValue, InputObject, InputValue, Object, ResolverContext, Scalar, Schema, TypeRef,
    Union,
};
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Error, Value as GqlValue};
use serde_json::{Map, Value};

use super::{Ask, Root};
use crate::api::{Call, Shared};

/// Types that every surface uses.
const COMMON: &str = include_str!("common.graphql");

/// What travels with a request to its root fields.
pub(super) struct Asked {
    pub(super) shared: Shared,
    pub(super) call: Call,
}

pub(super) fn build(
    parts: &[&str],
    roots: &'static [(&'static str, Root)],
    depth: usize,
    complexity: usize,
) -> Result<Schema, String> {
    let text = format!("{COMMON}\n{}", parts.join("\n"));
    let types: Vec<TypeDefinition> = parse_schema(&text)
        .map_err(|error| error.to_string())?
        .definitions
        .into_iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some(definition.node),
            _ => None,
        })
        .collect();
    let has = |name: &str| types.iter().any(|kind| kind.name.node == name);
    let leaves: Vec<String> = types
        .iter()
        .filter(|kind| matches!(kind.kind, TypeKind::Scalar | TypeKind::Enum(_)))
        .map(|kind| kind.name.node.to_string())
        .chain(["ID", "String", "Int", "Float", "Boolean"].map(str::to_owned))
        .collect();
    let mut schema = Schema::build("Query", has("Mutation").then_some("Mutation"), None)
        .limit_depth(depth)
        .limit_complexity(complexity);
    for kind in &types {
        let name = kind.name.node.as_str();
        schema = match &kind.kind {
            TypeKind::Scalar => schema.register(Scalar::new(name)),
            TypeKind::Enum(listed) => {
                schema.register(Enum::new(name).items(listed.values.iter().map(|item| item.node.value.node.as_str())))
            }
            TypeKind::Union(listed) => schema.register(
                listed.members.iter().fold(Union::new(name), |all, one| all.possible_type(one.node.as_str())),
            ),
            TypeKind::InputObject(listed) => schema
                .register(listed.fields.iter().fold(InputObject::new(name), |all, one| all.field(input(&one.node)))),
            TypeKind::Object(listed) => {
                let mut object = Object::new(name);
                for field in &listed.fields {
                    object = object.field(if matches!(name, "Query" | "Mutation") {
                        root(&field.node, roots, &leaves)?
                    } else {
                        member(&field.node, &leaves)
                    });
                }
                schema.register(object)
            }
            TypeKind::Interface(_) => return Err(format!("`{name}`: no surface has an interface")),
        };
    }
    schema.finish().map_err(|error| error.to_string())
}

/// A field of `Query` or `Mutation`.
fn root(
    definition: &FieldDefinition,
    roots: &'static [(&'static str, Root)],
    leaves: &[String],
) -> Result<Field, String> {
    let name = definition.name.node.as_str();
    let resolve = roots.iter().find(|(known, _)| *known == name).map(|(_, resolve)| *resolve);
    let resolve = resolve.ok_or_else(|| format!("no function for the root field `{name}`"))?;
    let shape = Shape::of(&definition.ty.node, leaves);
    let field = Field::new(name, type_ref(&definition.ty.node), move |ctx| {
        FieldFuture::new(async move { call_root(&ctx, resolve).map(|value| owned(value, shape)) })
    });
    Ok(with_arguments(field, definition))
}

fn call_root(ctx: &ResolverContext<'_>, resolve: Root) -> Result<Value, Error> {
    let asked = ctx.data::<Asked>()?;
    let mut args = Map::new();
    for (name, value) in ctx.args.as_index_map() {
        args.insert(name.to_string(), value.clone().into_json()?);
    }
    let mut world = asked.shared.lock();
    resolve(&mut Ask { world: &mut world, call: &asked.call, args: &Value::Object(args) }).map_err(Error::new)
}

/// Any other field.
fn member(definition: &FieldDefinition, leaves: &[String]) -> Field {
    let name = definition.name.node.to_string();
    let shape = Shape::of(&definition.ty.node, leaves);
    let field = Field::new(name.clone(), type_ref(&definition.ty.node), move |ctx| {
        // The context lives as long as what its parent resolved to.
        let parent = ctx.parent_value.downcast_ref::<Value>();
        FieldFuture::Value(parent.and_then(|parent| parent.get(&name)).and_then(|value| borrowed(value, shape)))
    });
    with_arguments(field, definition)
}

fn with_arguments(field: Field, definition: &FieldDefinition) -> Field {
    definition.arguments.iter().fold(field, |all, one| all.argument(input(&one.node)))
}

fn input(definition: &InputValueDefinition) -> InputValue {
    let value = InputValue::new(definition.name.node.as_str(), type_ref(&definition.ty.node));
    match &definition.default_value {
        Some(default) => value.default_value(default.node.clone()),
        None => value,
    }
}

fn type_ref(written: &Type) -> TypeRef {
    let base = match &written.base {
        BaseType::Named(name) => TypeRef::named(name.as_str()),
        BaseType::List(inner) => TypeRef::List(Box::new(type_ref(inner))),
    };
    if written.nullable { base } else { TypeRef::NonNull(Box::new(base)) }
}

/// How a JSON value becomes a field's value.
#[derive(Clone, Copy)]
struct Shape {
    /// Of how many lists within one another.
    lists: u8,
    leaf: bool,
}

impl Shape {
    fn of(written: &Type, leaves: &[String]) -> Self {
        match &written.base {
            BaseType::Named(name) => Self { lists: 0, leaf: leaves.iter().any(|leaf| leaf == name.as_str()) },
            BaseType::List(inner) => {
                let inner = Self::of(inner, leaves);
                Self { lists: inner.lists + 1, ..inner }
            }
        }
    }
}

fn borrowed(value: &Value, shape: Shape) -> Option<FieldValue<'_>> {
    match value {
        Value::Null => None,
        Value::Array(items) if shape.lists > 0 => {
            let inner = Shape { lists: shape.lists - 1, ..shape };
            Some(FieldValue::list(items.iter().map(|item| borrowed(item, inner).unwrap_or(FieldValue::NULL))))
        }
        _ if shape.leaf => Some(FieldValue::value(GqlValue::from_json(value.clone()).unwrap_or_default())),
        _ => Some(typed(FieldValue::borrowed_any(value), value)),
    }
}

fn owned<'a>(value: Value, shape: Shape) -> Option<FieldValue<'a>> {
    match value {
        Value::Null => None,
        Value::Array(items) if shape.lists > 0 => {
            let inner = Shape { lists: shape.lists - 1, ..shape };
            Some(FieldValue::list(items.into_iter().map(|item| owned(item, inner).unwrap_or(FieldValue::NULL))))
        }
        _ if shape.leaf => Some(FieldValue::value(GqlValue::from_json(value).unwrap_or_default())),
        _ => {
            let kind = kind(&value);
            let any = FieldValue::owned_any(value);
            Some(if let Some(kind) = kind { any.with_type(kind) } else { any })
        }
    }
}

fn typed<'a>(any: FieldValue<'a>, value: &Value) -> FieldValue<'a> {
    match kind(value) {
        Some(kind) => any.with_type(kind),
        None => any,
    }
}

/// A member of a union says which it is.
fn kind(value: &Value) -> Option<String> {
    value.get("__typename").and_then(Value::as_str).map(str::to_owned)
}
