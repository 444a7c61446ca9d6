//! Short forms and spellings that count as the same word.

/// Whole words; the left form becomes the right.
pub(super) static WORDS: &[(&str, &str)] = &[
    ("won't", "will not"),
    ("can't", "can not"),
    ("cannot", "can not"),
    ("let's", "let us"),
    ("ain't", "aint"),
    ("y'all", "you all"),
    ("wanna", "want to"),
    ("gotta", "got to"),
    ("gonna", "going to"),
    ("i'ma", "i am going to"),
    ("imma", "i am going to"),
    ("woulda", "would have"),
    ("coulda", "could have"),
    ("shoulda", "should have"),
    ("ma'am", "madam"),
    ("mr", "mister"),
    ("mrs", "missus"),
    ("st", "saint"),
    ("dr", "doctor"),
    ("prof", "professor"),
    ("capt", "captain"),
    ("gov", "governor"),
    ("ald", "alderman"),
    ("gen", "general"),
    ("sen", "senator"),
    ("rep", "representative"),
    ("pres", "president"),
    ("rev", "reverend"),
    ("hon", "honorable"),
    ("asst", "assistant"),
    ("assoc", "associate"),
    ("lt", "lieutenant"),
    ("col", "colonel"),
    ("jr", "junior"),
    ("sr", "senior"),
    ("esq", "esquire"),
];

/// Endings of words, tried in order.
pub(super) static ENDINGS: &[(&str, &str)] = &[
    ("n't", " not"),
    ("'re", " are"),
    ("'s", " is"),
    ("'d", " would"),
    ("'ll", " will"),
    ("'t", " not"),
    ("'ve", " have"),
    ("'m", " am"),
];

/// Before these words "'d" is "had" and "'s" is "has".
pub(super) static PERFECT: &[&str] = &["been", "gone", "done", "got"];

/// Words of no meaning.
pub(super) static FILLERS: &[&str] = &["hmm", "mm", "mhm", "mmm", "uh", "um"];

/// British spellings that stand in call-centre talk, and the American ones.
static SPELLINGS: &[(&str, &str)] = &[
    ("centre", "center"),
    ("fibre", "fiber"),
    ("metre", "meter"),
    ("litre", "liter"),
    ("theatre", "theater"),
    ("cheque", "check"),
    ("grey", "gray"),
    ("tyre", "tire"),
    ("programme", "program"),
    ("catalogue", "catalog"),
    ("dialogue", "dialog"),
    ("licence", "license"),
    ("defence", "defense"),
    ("offence", "offense"),
    ("practise", "practice"),
    ("jewellery", "jewelry"),
    ("aluminium", "aluminum"),
    ("storey", "story"),
    ("kerb", "curb"),
    ("plough", "plow"),
    ("sceptical", "skeptical"),
    ("fulfil", "fulfill"),
    ("enrol", "enroll"),
    ("cosy", "cozy"),
    ("mum", "mom"),
];

/// Stems written with "our" in Britain and "or" in America.
static OUR: &[&str] = &[
    "col", "fav", "flav", "hon", "lab", "neighb", "harb", "behavi", "hum", "rum", "endeav", "vap",
    "od",
];

/// One word in its American spelling.
pub(super) fn spelling(word: &str) -> String {
    if let Some((_, us)) = SPELLINGS.iter().find(|(uk, _)| *uk == word) {
        return (*us).to_owned();
    }
    if let Some(base) = word.strip_suffix('s')
        && let Some((_, us)) = SPELLINGS.iter().find(|(uk, _)| *uk == base)
    {
        return format!("{us}s");
    }
    if let Some(stem) = OUR.iter().find(|s| {
        word.strip_prefix(**s)
            .is_some_and(|rest| rest.starts_with("our"))
    }) {
        return format!("{stem}or{}", &word[stem.len() + 3..]);
    }
    for (uk, us) in [
        ("ising", "izing"),
        ("ised", "ized"),
        ("ises", "izes"),
        ("ise", "ize"),
        ("isation", "ization"),
        ("ysed", "yzed"),
        ("yse", "yze"),
    ] {
        // Short words and some long ones keep their s: rise, wise, exercise, promise, advise.
        if let Some(stem) = word.strip_suffix(uk)
            && stem.len() >= 4
            && ![
                "prom", "adv", "rev", "superv", "exerc", "surpr", "enterpr", "comprom", "telev",
                "adver", "prec", "expert", "franch", "otherw", "likew", "merchand", "apprais",
                "disgu", "pra", "adverti", "advert", "improv", "conc", "rais",
            ]
            .contains(&stem)
        {
            return format!("{stem}{us}");
        }
    }
    for (uk, us) in [("elled", "eled"), ("elling", "eling")] {
        if let Some(stem) = word.strip_suffix(uk)
            && ["canc", "trav", "lab", "mod", "tot", "chann", "jew"].contains(&stem)
        {
            return format!("{stem}{us}");
        }
    }
    word.to_owned()
}
