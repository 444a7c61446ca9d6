//! Tables that say themselves of which platform their rows are.

use callboard_model::record::Interpreter;
use callboard_sources::registry::Registry;

use crate::fold::{self, told};

#[test]
fn a_table_says_of_which_platform_its_figures_are() {
    let heading = "metric,scope,started_at,ended_at,value,platform\n";
    let row = |platform: &str| {
        format!("offered,queue:support,2026-03-02T09:00:00Z,2026-03-02T09:15:00Z,8,{platform}\n")
    };
    let text = [heading, &row("genesys/eu"), &row("/genesys"), &row("")].concat();
    let rows = told("sheet", &[text.as_bytes()]);
    let mut sources: Vec<&str> = rows.figures.iter().map(|f| &*f.source).collect();
    sources.sort_unstable();
    assert_eq!(sources, ["/genesys", "/genesys/eu", "/sheet/t1"]);
    for wrong in ["genesys/eu/x", "/", "Genesys Cloud", "genesys//eu"] {
        let text = format!("{heading}{}", row(wrong));
        let (records, _) = fold::split("sheet", "", text.as_bytes());
        let refusal = Registry.route(&records[0]).unwrap_err();
        assert_eq!(refusal.class, "bad_value", "{wrong}: {refusal}");
        assert!(refusal.reason.contains("genesys/eu"), "{refusal}");
    }
}
