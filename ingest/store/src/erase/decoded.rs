//! Texts in Arrow columns of any shape: those of our tables, and those of Delta's checkpoints.

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;

use super::needles::Needles;

/// How many texts a column holds, and how often the needles stand in them.
pub(crate) fn search(column: &dyn Array, needles: &Needles) -> (u64, u64) {
    let mut all = (0, 0);
    each(column, &mut |text| {
        all.0 += 1;
        all.1 += needles.count(text);
    });
    all
}

fn each(column: &dyn Array, tell: &mut dyn FnMut(&[u8])) {
    match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string_opt::<i32>().into_iter().flatten();
            texts.flatten().for_each(|t| tell(t.as_bytes()));
        }
        DataType::LargeUtf8 => {
            let texts = column.as_string_opt::<i64>().into_iter().flatten();
            texts.flatten().for_each(|t| tell(t.as_bytes()));
        }
        DataType::Utf8View => {
            let texts = column.as_string_view_opt().into_iter().flatten();
            texts.flatten().for_each(|t| tell(t.as_bytes()));
        }
        DataType::Binary => {
            let all = column.as_binary_opt::<i32>().into_iter().flatten();
            all.flatten().for_each(tell);
        }
        DataType::LargeBinary => {
            let all = column.as_binary_opt::<i64>().into_iter().flatten();
            all.flatten().for_each(tell);
        }
        DataType::BinaryView => {
            let all = column.as_binary_view_opt().into_iter().flatten();
            all.flatten().for_each(tell);
        }
        DataType::List(_) => {
            if let Some(list) = column.as_list_opt::<i32>() {
                each(list.values().as_ref(), tell);
            }
        }
        DataType::LargeList(_) => {
            if let Some(list) = column.as_list_opt::<i64>() {
                each(list.values().as_ref(), tell);
            }
        }
        DataType::Struct(_) => {
            for inner in column.as_struct_opt().into_iter().flat_map(|s| s.columns()) {
                each(inner.as_ref(), tell);
            }
        }
        DataType::Map(_, _) => {
            for inner in column
                .as_map_opt()
                .into_iter()
                .flat_map(|m| m.entries().columns())
            {
                each(inner.as_ref(), tell);
            }
        }
        DataType::Dictionary(_, _) => {
            if let Some(dictionary) = column.as_any_dictionary_opt() {
                each(dictionary.values().as_ref(), tell);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BinaryArray, Int64Array, ListArray, StringArray, StructArray};
    use arrow::datatypes::{Field, Int32Type};

    use super::*;

    #[test]
    fn texts_are_found_in_every_shape() {
        let needles = Needles::of(["+4930123".to_owned()]);
        let plain = StringArray::from(vec![Some("+4930123"), None, Some("x")]);
        assert_eq!(search(&plain, &needles), (2, 1));
        let bytes = BinaryArray::from(vec![&b"{\"a\":\"+4930123\"}"[..]]);
        assert_eq!(search(&bytes, &needles), (1, 1));
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)])]);
        assert_eq!(search(&list, &needles), (0, 0));
        let field =
            |name: &str, of: &dyn Array| Arc::new(Field::new(name, of.data_type().clone(), true));
        let number = Int64Array::from(vec![4930123, 1, 2]);
        let nested = StructArray::from(vec![
            (
                field("stats", &plain),
                Arc::new(plain.clone()) as Arc<dyn Array>,
            ),
            (field("n", &number), Arc::new(number) as Arc<dyn Array>),
        ]);
        assert_eq!(search(&nested, &needles), (2, 1));
    }
}
