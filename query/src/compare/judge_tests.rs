//! What is said of sums that were made by hand.

use super::super::{Side, Sums};
use super::*;
use crate::metrics::metric;

fn ask(names: &[&str], by: By) -> Ask {
    let side = |platform: &str| Side {
        platform: platform.to_owned(),
        from: 0,
        to: 1,
    };
    Ask {
        metrics: names.iter().map(|n| metric(n).unwrap()).collect(),
        sides: [side("teams"), side("genesys")],
        by,
        only: Vec::new(),
        day: "0".to_owned(),
    }
}

/// Days of a side that swing about a quotient; denominators of 50.
fn days(side: usize, count: i64, value: f64, swing: f64) -> Vec<Sums> {
    let one = |day: i64| Sums {
        side,
        group: None,
        day,
        over: 50.0 * (value + swing * ((day % 3) - 1) as f64),
        under: Some(50.0),
        told: true,
        basis: None,
    };
    (0..count).map(one).collect()
}

fn both(a: Vec<Sums>, b: Vec<Sums>) -> Vec<Sums> {
    a.into_iter().chain(b).collect()
}

fn said(ask: &Ask, sums: &[Vec<Sums>]) -> Vec<(&'static str, Option<String>, Verdict)> {
    let (all, _) = judge(ask, sums);
    let told = |s: Statement| (s.verdict.word(), s.group, s.verdict);
    all.into_iter().map(told).collect()
}

#[test]
fn a_difference_is_claimed_with_its_interval_and_none_is_not() {
    let ask = ask(&["handle_time", "average_speed_of_answer"], By::Whole);
    let sums = [
        both(
            days(0, 12, 300_000.5, 9_000.0),
            days(1, 12, 345_000.5, 9_000.0),
        ),
        both(
            days(0, 12, 20_000.5, 3_000.0),
            days(1, 12, 20_400.5, 3_000.0),
        ),
    ];
    let (all, comparisons) = judge(&ask, &sums);
    assert_eq!(comparisons, 2);
    let Verdict::Differs(found) = &all[0].verdict else {
        panic!("{:?}", all[0].verdict)
    };
    assert!((found.difference.value - 45_000.0).abs() < 1.0);
    assert!(found.difference.low > 35_000.0 && found.difference.high < 55_000.0);
    assert!(found.p <= LEVEL && found.p >= found.difference.p);
    assert_eq!((all[0].sides[0].n, all[0].sides[0].days), (600.0, 12));
    let Verdict::NotShown(found) = &all[1].verdict else {
        panic!("{:?}", all[1].verdict)
    };
    assert!(found.difference.low < 0.0 && found.difference.high > 0.0 && found.least > 1_000.0);
}

#[test]
fn too_few_days_contacts_or_events_are_too_little_to_say() {
    let handle = ask(&["handle_time"], By::Whole);
    let few = both(days(0, 6, 300.5, 9.0), days(1, 12, 500.5, 9.0));
    let told = said(&handle, &[few]);
    let Verdict::TooLittle(why) = &told[0].2 else {
        panic!()
    };
    assert_eq!(why, "teams: 6 days of 7 needed");

    let mut thin = both(days(0, 9, 300.5, 9.0), days(1, 9, 500.5, 9.0));
    thin.iter_mut().for_each(|s| s.under = Some(5.0));
    let told = said(&handle, &[thin]);
    let Verdict::TooLittle(why) = &told[0].2 else {
        panic!()
    };
    assert_eq!(why, "teams: 45 contacts of 100 needed");

    let abandoned = ask(&["abandon_rate"], By::Whole);
    let rare = both(days(0, 9, 0.01, 0.002), days(1, 9, 0.2, 0.05));
    let told = said(&abandoned, &[rare]);
    assert_eq!(told[0].0, "too little to say", "{told:?}");

    let alike = both(days(0, 9, 300.5, 0.0), days(1, 9, 500.5, 0.0));
    assert_eq!(said(&handle, &[alike])[0].0, "too little to say");
}

#[test]
fn what_a_platform_does_not_tell_is_said_instead_of_a_figure() {
    let handle = ask(&["handle_time"], By::Whole);
    let mut sums = both(days(0, 9, 300.5, 9.0), days(1, 9, 500.5, 9.0));
    sums.iter_mut()
        .filter(|s| s.side == 0)
        .for_each(|s| s.told = false);
    let (all, comparisons) = judge(&handle, &[sums]);
    let Verdict::CannotSay(why) = &all[0].verdict else {
        panic!()
    };
    assert!(why.starts_with("teams does not tell of wrap-up"), "{why}");
    assert_eq!((all[0].sides[0].value, comparisons), (None, 0));
    assert!(all[0].sides[1].value.is_some());

    let service = ask(&["service_level"], By::Whole);
    let mut sums = both(days(0, 9, 0.5, 0.1), days(1, 9, 0.8, 0.1));
    for one in &mut sums {
        one.basis = Some(
            if one.side == 0 {
                "20000"
            } else {
                "20000 30000"
            }
            .to_owned(),
        );
    }
    let told = said(&service, &[sums]);
    let Verdict::CannotSay(why) = &told[0].2 else {
        panic!()
    };
    assert!(why.ends_with("teams 20000; genesys 20000 30000"), "{why}");

    // Whole seconds on one side, and less than a second between them.
    let asa = ask(&["average_speed_of_answer"], By::Whole);
    let sums = both(days(0, 30, 20_000.0, 20.0), days(1, 30, 20_500.31, 20.0));
    let told = said(&asa, &[sums]);
    let Verdict::CannotSay(why) = &told[0].2 else {
        panic!("{told:?}")
    };
    assert!(why.starts_with("teams tells whole seconds"), "{why}");

    let nothing = said(&handle, &[days(1, 9, 500.5, 9.0)]);
    let Verdict::CannotSay(why) = &nothing[0].2 else {
        panic!()
    };
    assert_eq!(why, "teams has nothing of it");
}

#[test]
fn groups_are_judged_each_and_not_where_too_much_is_of_none() {
    let ask = ask(&["handle_time"], By::Site);
    let of = |site: &str, sums: Vec<Sums>| -> Vec<Sums> {
        let group = (!site.is_empty()).then(|| site.to_owned());
        let given = |s: Sums| Sums {
            group: group.clone(),
            ..s
        };
        sums.into_iter().map(given).collect()
    };
    let mut sums = Vec::new();
    for (site, value) in [("Berlin", 300_000.5), ("Cork", 400_000.5)] {
        sums.extend(of(site, days(0, 12, 300_000.5, 9_000.0)));
        sums.extend(of(site, days(1, 12, value, 9_000.0)));
    }
    let told = said(&ask, &[sums.clone()]);
    let words: Vec<_> = told.iter().map(|t| (t.1.as_deref(), t.0)).collect();
    assert_eq!(
        words,
        [
            (None, "differs"),
            (Some("Berlin"), "no difference shown"),
            (Some("Cork"), "differs")
        ]
    );
    sums.extend(of("", days(1, 3, 300_000.5, 9_000.0)));
    let told = said(&ask, &[sums]);
    assert_eq!(told[0].0, "differs");
    let Verdict::CannotSay(why) = &told[1].2 else {
        panic!()
    };
    assert_eq!(why, "12 % of it is of no site on genesys");
}

#[test]
fn counts_are_per_day_on_which_the_platform_was_in_use() {
    let ask = ask(&["offered"], By::Site);
    let one = |side, day, site: &str, over| Sums {
        side,
        group: Some(site.to_owned()),
        day,
        over,
        under: None,
        told: true,
        basis: None,
    };
    let mut sums = Vec::new();
    for day in 0..10 {
        for side in [0, 1] {
            sums.push(one(side, day, "Berlin", 60.0 + (day % 3) as f64));
            // Cork has calls every other day alone; the days between count as none.
            if day % 2 == 0 {
                sums.push(one(side, day, "Cork", 30.0));
            }
        }
    }
    let (all, _) = judge(&ask, &[sums]);
    assert_eq!(all[0].sides[0].value, Some(75.9));
    assert_eq!(all[1].sides[0].value, Some(60.9));
    assert_eq!(
        (all[2].sides[0].value, all[2].sides[0].days),
        (Some(15.0), 10)
    );
}
