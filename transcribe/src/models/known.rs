//! The models whose bytes are known.

use serde::Serialize;

/// A model file that can be checked, and mostly fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct KnownModel {
    /// What `callboard model download` calls it.
    pub name: &'static str,
    /// Name of the file.
    pub file: &'static str,
    /// Length in bytes; 0 where only the sum is known.
    pub bytes: u64,
    /// SHA-256 in hex.
    pub sha256: &'static str,
    /// `en`, or `many`.
    pub language: &'static str,
    /// What it is good for.
    pub about: &'static str,
    /// Whether the model repository has it (else it comes with this program).
    pub download: bool,
}

const fn model(
    name: &'static str,
    file: &'static str,
    bytes: u64,
    sha256: &'static str,
    language: &'static str,
    about: &'static str,
) -> KnownModel {
    KnownModel {
        name,
        file,
        bytes,
        sha256,
        language,
        about,
        download: true,
    }
}

const fn shipped(mut model: KnownModel) -> KnownModel {
    model.download = false;
    model
}

/// All known models, small ones first.
pub fn list() -> &'static [KnownModel] {
    &KNOWN
}

static KNOWN: [KnownModel; 17] = [
    shipped(model(
        "tiny.en-q8_0 (shipped)",
        "ggml-tiny.en-q8_0.bin",
        43_550_795,
        "c4416dc639b0f414f27abb8193d5c702fd2dc042b1358c442b87ec3389597559",
        "en",
        "comes with callboard: quick, good for a first look; mishears names and numbers",
    )),
    shipped(model(
        "silero-v6.2.0 (shipped)",
        "ggml-silero-v6.2.0.bin",
        885_098,
        "2aa269b785eeb53a82983a20501ddf7c1d9c48e33ab63a41391ac6c9f7fb6987",
        "many",
        "comes with callboard: finds speech, recognises nothing",
    )),
    model(
        "tiny.en",
        "ggml-tiny.en.bin",
        77_704_715,
        "921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f",
        "en",
        "the smallest, unrounded",
    ),
    model(
        "tiny.en-q5_1",
        "ggml-tiny.en-q5_1.bin",
        32_166_155,
        "c77c5766f1cef09b6b7d47f21b546cbddd4157886b3b5d6d4f709e91e66c7c2b",
        "en",
        "the smallest file",
    ),
    model(
        "tiny.en-q8_0",
        "ggml-tiny.en-q8_0.bin",
        43_550_795,
        "5bc2b3860aa151a4c6e7bb095e1fcce7cf12c7b020ca08dcec0c6d018bb7dd94",
        "en",
        "the smallest, as good as unrounded",
    ),
    model(
        "base.en",
        "ggml-base.en.bin",
        147_964_211,
        "a03779c86df3323075f5e796cb2ce5029f00ec8869eee3fdfb897afe36c6d002",
        "en",
        "better words for about twice the time",
    ),
    model(
        "base.en-q5_1",
        "ggml-base.en-q5_1.bin",
        59_721_011,
        "4baf70dd0d7c4247ba2b81fafd9c01005ac77c2f9ef064e00dcf195d0e2fdd2f",
        "en",
        "as base.en in less memory",
    ),
    model(
        "small.en",
        "ggml-small.en.bin",
        487_614_201,
        "c6138d6d58ecc8322097e0f987c32f1be8bb0a18532a3f88f734d1bbf9c41e5d",
        "en",
        "good for real calls, about six times the time of tiny.en",
    ),
    model(
        "small.en-q5_1",
        "ggml-small.en-q5_1.bin",
        190_098_681,
        "bfdff4894dcb76bbf647d56263ea2a96645423f1669176f4844a1bf8e478ad30",
        "en",
        "as small.en in less memory",
    ),
    model(
        "base",
        "ggml-base.bin",
        147_951_465,
        "60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe",
        "many",
        "about a hundred languages",
    ),
    model(
        "base-q5_1",
        "ggml-base-q5_1.bin",
        59_707_625,
        "422f1ae452ade6f30a004d7e5c6a43195e4433bc370bf23fac9cc591f01a8898",
        "many",
        "as base in less memory",
    ),
    model(
        "base-q8_0",
        "ggml-base-q8_0.bin",
        81_768_585,
        "c577b9a86e7e048a0b7eada054f4dd79a56bbfa911fbdacf900ac5b567cbb7d9",
        "many",
        "as base in less memory",
    ),
    model(
        "base.en-q8_0",
        "ggml-base.en-q8_0.bin",
        0,
        "a4d4a0768075e13cfd7e19df3ae2dbc4a68d37d36a7dad45e8410c9a34f8c87e",
        "en",
        "as base.en in less memory",
    ),
    model(
        "small.en-q8_0",
        "ggml-small.en-q8_0.bin",
        0,
        "67a179f608ea6114bd3fdb9060e762b588a3fb3bd00c4387971be4d177958067",
        "en",
        "as small.en in less memory",
    ),
    model(
        "large-v3-turbo",
        "ggml-large-v3-turbo.bin",
        1_624_555_275,
        "1fc70f774d38eb169993ac391eea357ef47c88757ef72ee5943879b7e8e2bc69",
        "many",
        "the best words; wants many cores or patience",
    ),
    model(
        "large-v3-turbo-q5_0",
        "ggml-large-v3-turbo-q5_0.bin",
        574_041_195,
        "394221709cd5ad1f40c46e6031ca61bce88931e6e088c188294c6d5a55ffa7e2",
        "many",
        "as large-v3-turbo in less memory",
    ),
    model(
        "large-v3-turbo-q8_0",
        "ggml-large-v3-turbo-q8_0.bin",
        0,
        "317eb69c11673c9de1e1f0d459b253999804ec71ac4c23c17ecf5fbe24e259a1",
        "many",
        "as large-v3-turbo in less memory",
    ),
];

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn names_and_sums_are_unique_and_well_formed() {
        let names: std::collections::BTreeSet<_> = list().iter().map(|m| m.name).collect();
        let sums: std::collections::BTreeSet<_> = list().iter().map(|m| m.sha256).collect();
        assert_eq!((names.len(), sums.len()), (list().len(), list().len()));
        for model in list() {
            assert!(
                model.sha256.len() == 64 && model.sha256.bytes().all(|b| b.is_ascii_hexdigit()),
                "{}",
                model.name
            );
            assert!(model.file.starts_with("ggml-") && model.file.ends_with(".bin"));
        }
    }
}
