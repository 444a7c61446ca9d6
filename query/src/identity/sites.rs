//! Sites of sources, as the configuration says them: what is known of a contact's site where nothing
//! else tells it. They are no names and stand in no file; like names they are applied when rows are
//! read.

use super::parts;

/// What one source's site holds for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSite {
    /// Platform of the contacts; any when missing, as of a mapping, whose file names its platform.
    pub platform: Option<String>,
    /// Instance; any when missing, as of a source by which requests name their own.
    pub instance: Option<String>,
    /// Site.
    pub site: String,
}

/// The sites of all sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceSites {
    /// Those that say most first.
    all: Vec<SourceSite>,
}

impl SourceSites {
    /// Of these. Where two of them speak of one instance and name different sites, a contact's source
    /// cannot say which of them it came by, and neither is told. What would hold for everything is
    /// left out.
    pub fn new(sites: Vec<SourceSite>) -> Self {
        let about = |s: &SourceSite| (s.platform.clone(), s.instance.clone());
        let one = |s: &SourceSite| {
            let mut same = sites.iter().filter(|o| about(o) == about(s));
            same.all(|o| o.site == s.site)
        };
        let known = |s: &SourceSite| s.platform.is_some() || s.instance.is_some();
        let mut all: Vec<SourceSite> = sites
            .iter()
            .filter(|s| !s.site.is_empty() && known(s) && one(s))
            .cloned()
            .collect();
        // An instance says more than a platform.
        all.sort_by_key(|s| (s.instance.is_none(), s.platform.is_none()));
        SourceSites { all }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// That of a contact's source, `/platform/instance`.
    pub fn of(&self, source: &str) -> Option<&str> {
        let (platform, instance) = parts(source);
        let holds = |s: &&SourceSite| {
            s.platform.as_deref().is_none_or(|p| p == platform)
                && s.instance.as_deref().is_none_or(|i| i == instance)
        };
        self.all.iter().find(holds).map(|s| s.site.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(platform: &str, instance: &str, site: &str) -> SourceSite {
        let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        SourceSite {
            platform: told(platform),
            instance: told(instance),
            site: site.to_owned(),
        }
    }

    #[test]
    fn the_nearest_source_says_the_site_and_two_that_disagree_say_none() {
        let sites = SourceSites::new(vec![
            site("teams", "", "Rome"),
            site("", "f9", "Oslo"),
            site("teams", "f9", "Cork"),
            site("acs", "contoso", "Berlin"),
            site("acs", "contoso", "Berlin"),
            site("twilio", "acme", "Paris"),
            site("twilio", "acme", "Lyon"),
            site("", "", "Nowhere"),
            site("genesys", "eu", ""),
        ]);
        for (source, told) in [
            ("/acs/contoso", Some("Berlin")),
            ("/acs/contoso/calls", Some("Berlin")),
            ("/acs/fabrikam", None),
            ("/teams/f9", Some("Cork")),
            ("/five9/f9", Some("Oslo")),
            ("/teams/other", Some("Rome")),
            ("/teams", Some("Rome")),
            ("/twilio/acme", None),
            ("/genesys/eu", None),
            ("", None),
        ] {
            assert_eq!(sites.of(source), told, "{source}");
        }
        assert!(SourceSites::new(vec![site("", "", "Nowhere")]).is_empty());
    }
}
