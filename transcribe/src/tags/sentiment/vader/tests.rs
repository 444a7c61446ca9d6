use super::{Scores, score};

/// Texts with the Python package's scores, made by `testdata/vader_vectors.py`.
const VECTORS: &str = include_str!("../../../../testdata/vader.jsonl");

#[test]
fn every_vector_of_the_python_package_is_met_exactly() {
    let mut checked = 0;
    for line in VECTORS.lines() {
        let (text, neg, neu, pos, compound): (String, f64, f64, f64, f64) =
            serde_json::from_str(line).unwrap();
        assert_eq!(
            score(&text),
            Scores {
                neg,
                neu,
                pos,
                compound
            },
            "{text:?}"
        );
        checked += 1;
    }
    assert!(checked > 800, "{checked}");
}

#[test]
fn the_reference_values_hold() {
    for (text, neg, neu, pos, compound) in [
        ("The refund is not good", 0.376, 0.624, 0.0, -0.3412),
        (
            "At least it isn't a horrible line.",
            0.0,
            0.678,
            0.322,
            0.431,
        ),
        (
            "I was not very happy with the very slow service!!!",
            0.312,
            0.688,
            0.0,
            -0.6238,
        ),
        ("VERY bad BAD service", 0.83, 0.17, 0.0, -0.8941),
        ("never so happy", 0.0, 0.297, 0.703, 0.6948),
        ("without doubt great", 0.0, 0.139, 0.861, 0.7359),
        ("no good", 0.706, 0.294, 0.0, -0.3412),
        ("Is that all?", 0.0, 1.0, 0.0, 0.0),
        ("", 0.0, 0.0, 0.0, 0.0),
    ] {
        assert_eq!(
            score(text),
            Scores {
                neg,
                neu,
                pos,
                compound
            },
            "{text}"
        );
    }
}
