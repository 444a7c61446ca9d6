//! Functions that PostgreSQL has and clients call, answered as far as they make sense here.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};
use datafusion::prelude::SessionContext;
use datafusion_postgres::arrow_pg::datatypes::into_pg_type;

use super::zones::Zone;
use super::{SERVER_VERSION, local, settings, to_char};

/// Comments by (oid of the relation, number of the column; 0 = the relation itself).
pub type Comments = Arc<OnceLock<HashMap<(i64, i64), String>>>;

/// A function that always answers the same.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Constant {
    name: &'static str,
    answer: ScalarValue,
    signature: Signature,
}

fn any_arguments() -> Signature {
    Signature::one_of(
        vec![TypeSignature::Nullary, TypeSignature::VariadicAny],
        Volatility::Stable,
    )
}

impl ScalarUDFImpl for Constant {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(self.answer.data_type())
    }
    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.answer.clone()))
    }
}

/// `obj_description(oid, catalog)` and `col_description(oid, column)`.
#[derive(Debug)]
struct Description {
    name: &'static str,
    comments: Comments,
    signature: Signature,
}

impl PartialEq for Description {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Description {}
impl std::hash::Hash for Description {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Description {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let numbers = |i: usize| -> Option<ArrayRef> {
            let column = columns.get(i)?;
            arrow::compute::cast(column, &DataType::Int64).ok()
        };
        let oids = numbers(0);
        // The second argument is a column's number, or the name of a catalogue.
        let second = if self.name == "col_description" {
            numbers(1)
        } else {
            None
        };
        let number = |array: &Option<ArrayRef>, row: usize| {
            let array = array.as_ref()?.as_primitive::<Int64Type>();
            (row < array.len() && !array.is_null(row)).then(|| array.value(row))
        };
        let rows = columns.first().map_or(args.number_rows, Array::len);
        let mut out = StringBuilder::new();
        for row in 0..rows {
            let key = number(&oids, row).map(|oid| (oid, number(&second, row).unwrap_or(0)));
            let text = key.and_then(|key| self.comments.get().and_then(|c| c.get(&key)));
            out.append_option(text.filter(|t| !t.is_empty()));
        }
        Ok(ColumnarValue::Array(Arc::new(out.finish())))
    }
}

/// `current_setting(name [, missing_ok])`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CurrentSetting {
    signature: Signature,
}

impl ScalarUDFImpl for CurrentSetting {
    fn name(&self) -> &str {
        "current_setting"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let mut out = StringBuilder::new();
        if let Some(names) = columns.first() {
            let names = arrow::compute::cast(names, &DataType::Utf8)?;
            for name in names.as_string::<i32>() {
                let value = name.and_then(|n| settings::show(n, &HashMap::new()).ok());
                // Of a connection's own settings the engine knows the zone.
                let own = name
                    .filter(|n| n.eq_ignore_ascii_case("timezone"))
                    .and(args.config_options.execution.time_zone.as_deref())
                    .and_then(Zone::of_type);
                out.append_option(own.map(Zone::name).or(value));
            }
        }
        Ok(ColumnarValue::Array(Arc::new(out.finish())))
    }
}

/// `pg_typeof(value)`: the name of its type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct TypeOf {
    signature: Signature,
}

impl ScalarUDFImpl for TypeOf {
    fn name(&self) -> &str {
        "pg_typeof"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let name = args
            .arg_fields
            .first()
            .and_then(|f| into_pg_type(f.data_type()).ok())
            .map_or_else(|| "unknown".to_owned(), |kind| spelled(kind.name()));
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8(Some(name))))
    }
}

/// A type's name as `format_type` writes it.
fn spelled(name: &str) -> String {
    if let Some(element) = name.strip_prefix('_') {
        return format!("{}[]", spelled(element));
    }
    match name {
        "bool" => "boolean",
        "int2" => "smallint",
        "int4" => "integer",
        "int8" => "bigint",
        "float4" => "real",
        "float8" => "double precision",
        "varchar" => "character varying",
        "time" => "time without time zone",
        "timestamp" => "timestamp without time zone",
        "timestamptz" => "timestamp with time zone",
        other => other,
    }
    .to_owned()
}

fn texts(values: &[&str]) -> ScalarValue {
    let array: ArrayRef = Arc::new(arrow::array::StringArray::from(values.to_vec()));
    SingleRowListArrayBuilder::new(array).build_list_scalar()
}

/// Registers all of them; called after the crate's own catalogue functions, which some replace.
pub fn register(ctx: &SessionContext, comments: &Comments) {
    let version = format!(
        "PostgreSQL {SERVER_VERSION} (Callboard {})",
        env!("CARGO_PKG_VERSION")
    );
    let text = |s: &str| ScalarValue::Utf8(Some(s.to_owned()));
    let none = ScalarValue::Utf8(None);
    let yes = ScalarValue::Boolean(Some(true));
    let constants: Vec<(&'static str, ScalarValue)> = vec![
        ("version", text(&version)),
        ("current_schema", text("callboard")),
        ("current_schemas", texts(&["callboard"])),
        ("pg_is_in_recovery", ScalarValue::Boolean(Some(false))),
        ("txid_current", ScalarValue::Int64(Some(1))),
        ("age", ScalarValue::Int32(Some(0))),
        ("to_regtype", ScalarValue::Int32(None)),
        ("to_regclass", ScalarValue::Int32(None)),
        ("set_config", text("")),
        ("shobj_description", none.clone()),
        ("pg_get_serial_sequence", none.clone()),
        ("json_build_object", none.clone()),
        ("pg_get_viewdef", text("")),
        ("pg_get_indexdef", none.clone()),
        ("pg_get_ruledef", none.clone()),
        ("pg_get_triggerdef", none.clone()),
        ("pg_get_function_result", none.clone()),
        ("pg_get_function_arguments", none.clone()),
        ("pg_get_function_identity_arguments", none.clone()),
        ("pg_size_pretty", text("")),
        ("pg_table_size", ScalarValue::Int64(Some(0))),
        ("pg_indexes_size", ScalarValue::Int64(Some(0))),
        ("pg_advisory_unlock_all", none.clone()),
        ("pg_tablespace_location", none),
        ("pg_type_is_visible", yes.clone()),
        ("pg_function_is_visible", yes.clone()),
        ("pg_collation_is_visible", yes.clone()),
        ("pg_operator_is_visible", yes.clone()),
        ("pg_opclass_is_visible", yes.clone()),
        ("has_column_privilege", yes.clone()),
        ("has_function_privilege", yes.clone()),
        ("pg_has_role", yes),
    ];
    for (name, answer) in constants {
        ctx.register_udf(ScalarUDF::from(Constant {
            name,
            answer,
            signature: any_arguments(),
        }));
    }
    for name in ["obj_description", "col_description"] {
        ctx.register_udf(ScalarUDF::from(Description {
            name,
            comments: comments.clone(),
            signature: any_arguments(),
        }));
    }
    ctx.register_udf(ScalarUDF::from(TypeOf {
        signature: Signature::any(1, Volatility::Stable),
    }));
    local::register(ctx);
    to_char::register(ctx);
    ctx.register_udf(ScalarUDF::from(CurrentSetting {
        signature: any_arguments(),
    }));
}
