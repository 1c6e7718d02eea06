//! Files that are missing, that have each other's contents, or that are older copies of themselves.

use crate::Files;
use crate::subject::Subject;

impl Subject {
    pub(crate) fn lose_every_file(&mut self) {
        for file in self.files.clone().into_keys() {
            let mut files = self.files.clone();
            files.remove(&file);
            self.try_with(false, &files, || format!("{file} is missing"));
        }
    }

    pub(crate) fn swap_every_pair(&mut self) {
        let names: Vec<_> = self.files.keys().cloned().collect();
        for (place, one) in names.iter().enumerate() {
            for other in &names[place + 1..] {
                self.try_with(false, &swapped(&self.files, one, other), || format!("{one} and {other} are swapped"));
            }
        }
    }

    /// Each file as it was at each earlier moment, those included that are not there any more.
    pub(crate) fn put_back_every_file(&mut self) {
        let mut tried = Vec::new();
        for moment in self.moments.clone() {
            for (file, older) in moment.files {
                if self.files.get(&file) == Some(&older) || tried.contains(&(file.clone(), older.clone())) {
                    continue;
                }
                let mut files = self.files.clone();
                files.insert(file.clone(), older.clone());
                let version = moment.contents.version;
                self.try_with(false, &files, || format!("{file} is that of version {version}"));
                tried.push((file, older));
            }
        }
    }
}

pub(crate) fn swapped(files: &Files, one: &str, other: &str) -> Files {
    let mut swapped = files.clone();
    swapped.insert(one.to_owned(), files[other].clone());
    swapped.insert(other.to_owned(), files[one].clone());
    swapped
}
