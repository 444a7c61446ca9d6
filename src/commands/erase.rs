//! `callboard erase`: everything of one customer goes, and what is left of him is counted.

use std::fmt::Write as _;

use callboard_store::erase::{Proof, Report};
use reqwest::Method;
use serde_json::json;

use super::client::Client;
use super::{Failure, block_on, print};
use crate::cli::EraseArgs;

/// Asks the server to do it and prints its report.
///
/// # Errors
/// When it could not be done, or when something is left.
pub fn run(args: &EraseArgs) -> Result<(), Failure> {
    if args.customers.is_empty() && args.contacts.is_empty() {
        return Err(Failure::usage(
            "say whom to erase: --customer with an address or a name, or --contact with an id",
        ));
    }
    let wish = json!({
        "customers": args.customers,
        "contacts": args.contacts,
        "dry_run": args.dry_run,
    });
    let text = block_on(async {
        let client = Client::new(&args.to)?;
        let request = client.request(Method::POST, &["v1", "erase"]).json(&wish);
        let answer = client.send(request).await?;
        Ok(client.text(answer).await?)
    })?;
    let report: Report = serde_json::from_str(&text)
        .map_err(|e| Failure::failed(format!("the server's report cannot be read: {e}")))?;
    if args.json {
        print(&format!("{text}\n"))?;
    } else {
        print(&said(&report))?;
        if !args.dry_run && !args.contacts.is_empty() && report.found_nothing() {
            print("What is told later of a contact that was named is refused.\n")?;
        }
    }
    match &report.proof {
        Some(proof) if !proof.found.is_empty() => Err(Failure::failed(
            "something is left, as said above; `callboard erase --contact` takes out what belongs to another contact",
        )),
        _ => Ok(()),
    }
}

fn said(report: &Report) -> String {
    let mut text = String::new();
    let went = if report.dry_run { "would go" } else { "went" };
    // Writing to a text cannot fail.
    let _ = writeln!(text, "contacts       {} {went}", report.contacts.len());
    for id in &report.contacts {
        let _ = writeln!(text, "               {id}");
    }
    for (table, rows) in &report.rows {
        let _ = writeln!(text, "{table:14} {rows} rows");
    }
    let _ = writeln!(text, "audio          {} seconds", report.audio_seconds);
    if !report.days.is_empty() {
        let _ = writeln!(text, "days           {}", report.days.join(", "));
    }
    if report.dry_run {
        text.push_str("\nNothing was changed.\n");
        return text;
    }
    if report.found_nothing() {
        report.proof.iter().for_each(|proof| left(proof, &mut text));
        text.push_str("\nNobody was found, and nothing was changed.\n");
        return text;
    }
    let _ = writeln!(
        text,
        "others         {} contacts and agents made anew without records that named the erased",
        report.others_made_anew
    );
    let _ = writeln!(
        text,
        "files          {} rewritten, {} of older versions removed, {} of the tables' logs, {} segments of the log",
        report.files_rewritten,
        report.files_removed,
        report.log_files_removed,
        report.segments_removed
    );
    if let Some(proof) = &report.proof {
        left(proof, &mut text);
    }
    text
}

fn left(proof: &Proof, text: &mut String) {
    let times: u64 = proof.found.iter().map(|hit| hit.times).sum();
    let _ = writeln!(
        text,
        "searched       {} files of {} bytes, {} values of tables and log: found {times} times",
        proof.files, proof.bytes, proof.values
    );
    for hit in &proof.found {
        let _ = writeln!(text, "LEFT           {} times in {}", hit.times, hit.place);
    }
    if !proof.too_short.is_empty() {
        let _ = writeln!(
            text,
            "not searched   ids too short to be told from other texts: {}",
            proof.too_short.join(", ")
        );
    }
}

#[cfg(test)]
mod tests {
    use callboard_store::erase::Hit;

    use super::*;

    #[test]
    fn nobody_of_that_name_is_said_plainly() {
        let proof = Some(Proof::default());
        let report = Report {
            proof,
            ..Report::default()
        };
        let text = said(&report);
        assert!(text.contains("nothing was changed"), "{text}");
        assert!(!text.contains("rewritten"), "{text}");
    }

    #[test]
    fn a_report_says_what_went_and_what_is_left() {
        let mut report = Report {
            contacts: vec!["c-1".into()],
            rows: [("records".to_owned(), 7)].into(),
            audio_seconds: 12,
            dry_run: true,
            ..Report::default()
        };
        let text = said(&report);
        assert!(
            text.contains("1 would go") && text.contains("Nothing was changed."),
            "{text}"
        );
        report.dry_run = false;
        report.proof = Some(Proof {
            files: 3,
            found: vec![Hit {
                place: "state/x".into(),
                times: 2,
            }],
            ..Proof::default()
        });
        let text = said(&report);
        assert!(text.contains("records        7 rows"), "{text}");
        assert!(text.contains("LEFT           2 times in state/x"), "{text}");
    }
}
