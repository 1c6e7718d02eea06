//! The examples, run as they are: each asserts its own claims.
#![cfg(not(target_arch = "wasm32"))]

macro_rules! examples {
    ($($name:ident)*) => {
        $(mod $name {
            include!(concat!("../examples/", stringify!($name), ".rs"));

            #[test]
            fn runs() {
                main().unwrap();
            }
        })*
    };
}

examples!(quickstart transactions time_travel counters secondary_index queue);

#[test]
fn none_is_left_out() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let sources = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let programs = sources.filter(|name| name.to_string_lossy().ends_with(".rs"));
    assert_eq!(programs.count(), 6, "every example has its test above");
}
