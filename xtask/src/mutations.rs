//! Ways to break the engine, and the test that notices each.

/// In place of a suite: the tests within the library.
pub(crate) const LIBRARY: &str = "library";
/// The same, compiled for models.
pub(crate) const MODELS: &str = "models";
/// The suite of the same name, compiled for schedules.
pub(crate) const SCHEDULES: &str = "schedules";

/// A change of one place in one file.
pub(crate) struct Mutation {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    /// The suite and the test in it that must fail.
    pub(crate) test: (&'static str, &'static str),
}

const SIMULATION: (&str, &str) =
    ("simulation", "every_crash_leaves_a_prefix_of_the_commits_with_all_that_was_promised");

pub(crate) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "two clocks: the window of conflicts ends one commit later than the snapshot",
        file: "src/engine/commit.rs",
        from: "if newest > since { Err",
        to: "if newest > since + 1 { Err",
        test: SIMULATION,
    },
    Mutation {
        name: "visible before it is durable",
        file: "src/engine/commit.rs",
        from: "Visibility::Durable => stage.min(stage_of(self.options.durability)),",
        to: "Visibility::Durable => Stage::Applied,",
        test: SIMULATION,
    },
    Mutation {
        name: "acknowledged before the sync",
        file: "src/log/mod.rs",
        from: "let flush = if together { Flush::Yes } else { Flush::No };",
        to: "let flush = Flush::No;",
        test: SIMULATION,
    },
    Mutation {
        name: "no sync of the directory after a segment was created",
        file: "src/files.rs",
        from: "        write().await?;\n    }\n    storage.sync_directory().await",
        to: "        write().await?;\n    }\n    Ok(())",
        test: SIMULATION,
    },
    Mutation {
        name: "no sync of a segment before the next begins",
        file: "src/log/mod.rs",
        from: "self.storage.sync(&old_file).await?;\n        self.progress.set_synced(last);",
        to: "self.progress.set_synced(last);",
        test: SIMULATION,
    },
    Mutation {
        name: "no sync of a snapshot",
        file: "src/snapshot/file.rs",
        from: "storage.sync(&name).await?;",
        to: "",
        test: SIMULATION,
    },
    Mutation {
        name: "the log goes on after a torn tail, and not in its place",
        file: "src/recovery/segments.rs",
        from: "        previous_end: end.offset,\n",
        to: "        previous_end: last.length,\n",
        test: SIMULATION,
    },
    Mutation {
        name: "what a failed sync forgot is taken for durable",
        file: "src/recovery/segments.rs",
        from: "storage.secure(&last.name, end.synced_to, end.offset).await?;",
        to: "",
        test: ("faults", "whatever_fails_at_whichever_call_nothing_acknowledged_is_lost"),
    },
    Mutation {
        name: "writing goes on after an error",
        file: "src/log/mod.rs",
        from: "self.progress.poison(error);",
        to: "drop(error);",
        test: ("faults", "whatever_fails_at_whichever_call_nothing_acknowledged_is_lost"),
    },
    Mutation {
        name: "garbage collection past a reader",
        file: "src/engine/readers.rs",
        from: "if version == TAKEN || (version != FREE && !place.is_ended()) {",
        to: "if version == TAKEN {",
        test: SIMULATION,
    },
    Mutation {
        name: "a reader's place is not given back",
        file: "src/engine/readers.rs",
        from: "self.place(pin).version.store(FREE, Ordering::SeqCst);",
        to: "",
        test: ("soak", "nothing_keeps_growing"),
    },
    Mutation {
        name: "what a snapshot replaces stays",
        file: "src/engine/snapshots.rs",
        from: "            storage.remove(&file.name).await?;\n",
        to: "",
        test: ("soak", "nothing_keeps_growing"),
    },
    Mutation {
        name: "the table of records does not hear of a write",
        file: "src/index/mod.rs",
        from: "                table.replace(&record);\n",
        to: "",
        test: (LIBRARY, "what_was_read_before_is_found_as_it_became"),
    },
    Mutation {
        name: "the table of records does not hear that a key was collected",
        file: "src/index/mod.rs",
        from: "|table| table.remove(spent.key())",
        to: "|_| drop(spent.clone())",
        test: (LIBRARY, "what_was_read_before_is_found_as_it_became"),
    },
    Mutation {
        name: "a reader that has no version yet is passed over",
        file: "src/engine/readers.rs",
        from: "if version == TAKEN || (version != FREE && !place.is_ended()) {",
        to: "if version != TAKEN && version != FREE && !place.is_ended() {",
        test: (MODELS, "models::readers"),
    },
    Mutation {
        name: "a commit drops what a reader needs that has no version yet",
        file: "src/engine/readers.rs",
        from: "let needs = version == TAKEN ||",
        to: "let needs =",
        test: (MODELS, "models::publish"),
    },
    Mutation {
        name: "a commit publishes itself after it looked at the readers",
        file: "src/engine/commit.rs",
        from: "                self.append(ticket, durability, frame.take());\n                self.horizon_behind(ticket, own, horizon)",
        to: "                let horizon = self.horizon_behind(ticket, own, horizon);\n                \
             self.append(ticket, durability, frame.take());\n                horizon",
        test: (SCHEDULES, "a_key_that_is_written_again"),
    },
    Mutation {
        name: "a commit is published before the table of records has it",
        file: "src/index/mod.rs",
        from: "            if leaf.is_entered()\n",
        to: "            (run.horizon)();\n            if leaf.is_entered()\n",
        test: (MODELS, "models::publish"),
    },
    Mutation {
        name: "nobody looks again once the waiter is there",
        file: "src/progress.rs",
        from: "progress.outcome(*goal).map_or(Poll::Pending, Poll::Ready)",
        to: "Poll::Pending",
        test: (MODELS, "models::hand_off"),
    },
    Mutation {
        name: "a writer puts a key into a leaf that was split meanwhile",
        file: "src/index/mod.rs",
        from: "run.next.take_if(|record| leaf.holds(record.key()))",
        to: "run.next.take_if(|_| !leaf.dead)",
        test: (MODELS, "models::split"),
    },
    Mutation {
        name: "the collector leaves to the writers what they do not keep in mind",
        file: "src/engine/collector.rs",
        from: "self.garbage() <= self.collector.leftovers.count()",
        to: "self.garbage() < u64::MAX",
        test: ("soak", "old_values_go_while_somebody_writes"),
    },
    Mutation {
        name: "a reader that was ended goes on",
        file: "src/engine/readers.rs",
        from: "if self.is_ended() { Err(self.ended(point.version)) } else { Ok(()) }",
        to: "if self.is_ended() && point.version == NEW { Err(self.ended(point.version)) } else { Ok(()) }",
        test: ("readers", ""),
    },
    Mutation {
        name: "a transaction that was ended commits",
        file: "src/engine/commit.rs",
        from: "conditions.place.check(ReadPoint::version(conditions.since))",
        to: "Ok(())",
        test: ("readers", "a_transaction_that_was_ended_does_not_commit"),
    },
    Mutation {
        name: "readers are ended for what a snapshot or a backup holds back",
        file: "src/engine/readers.rs",
        from: "if oldest < kept { oldest } else { before }",
        to: "if kept > 0 { oldest } else { before }",
        test: ("readers", "readers_beside_a_backup_that_holds_back_more_go_on"),
    },
    Mutation {
        name: "writing goes on after a sync of the directory that failed for a snapshot",
        file: "src/engine/snapshots.rs",
        from: ".inspect_err(|error| self.progress.poison(error.clone()))",
        to: "",
        test: ("faults", "a_sync_of_the_directory_that_fails_for_a_snapshot_ends_all_writing"),
    },
    Mutation {
        name: "the conflict check of read keys is skipped",
        file: "src/engine/commit.rs",
        from: "for key in &reads.keys {",
        to: "for key in reads.keys.iter().take(0) {",
        test: SIMULATION,
    },
    Mutation {
        name: "the conflict check of read ranges is skipped",
        file: "src/engine/commit.rs",
        from: "for (low, high) in &reads.ranges {",
        to: "for (low, high) in reads.ranges.iter().take(0) {",
        test: ("isolation", "g2"),
    },
    Mutation {
        name: "the conflict check of written keys is skipped",
        file: "src/engine/commit.rs",
        from: "if conditions.writes_too {",
        to: "if conditions.writes_too && conditions.reads.len() > 99 {",
        test: SIMULATION,
    },
    Mutation {
        name: "another commits between the conflict check and the commit",
        file: "src/engine/commit.rs",
        from: "validate(conditions, head.version, write_set.changes())?;\n            }",
        to: "validate(conditions, head.version, write_set.changes())?;\n            }\n            \
             drop(head);\n            head = self.head.lock();",
        test: (SCHEDULES, "no_increment_is_lost"),
    },
    Mutation {
        name: "a keyspace is written to that was dropped meanwhile",
        file: "src/engine/commit.rs",
        from: "keyspace.check(ReadPoint::version(head.version))?;",
        to: "",
        test: (SCHEDULES, "a_keyspace_that_is_dropped_takes_what_was_written_with_it"),
    },
    Mutation {
        name: "the salt is ignored",
        file: "src/log/frame.rs",
        from: "hasher.update(&salt.to_le_bytes());",
        to: "hasher.update(&(salt & 0).to_le_bytes());",
        test: (LIBRARY, "log::frame::"),
    },
    Mutation {
        name: "a frame that is cut by the end of a piece passes for a torn tail",
        file: "src/recovery/pieces.rs",
        from: "let goes_to_end = wants.is_none() || piece.is_empty();",
        to: "let goes_to_end = true;",
        test: SIMULATION,
    },
    Mutation {
        name: "synced-to is ignored",
        file: "src/log/scan.rs",
        from: "header.synced_to > self.reached.offset as u64",
        to: "header.synced_to == u64::MAX",
        test: ("damage", "a_log_copied_while_open"),
    },
    Mutation {
        name: "a gap in the sequence is accepted",
        file: "src/log/scan.rs",
        from: "let is_next = header.sequence == next_sequence && ",
        to: "let is_next = ",
        test: (LIBRARY, "log::scan::"),
    },
    Mutation {
        name: "the lock is not taken",
        file: "src/storage/file/mod.rs",
        from: "Completion::ready(self.take_lock())",
        to: "Completion::ready(if false { self.take_lock() } else { Ok(()) })",
        test: ("rivals_threads", "a_second_opener_is_told_which_directory_is_locked"),
    },
    Mutation {
        name: "a snapshot is not read back before what it replaces goes",
        file: "src/snapshot/file.rs",
        from: "verify(&mut StorageSource::new(Arc::clone(storage), &name), &name).await?;",
        to: "let _unread = StorageSource::new(Arc::clone(storage), &name);",
        test: ("faults", "a_snapshot_that_the_medium_wrote_wrongly_replaces_nothing"),
    },
];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::MUTATIONS;
    use crate::process::root;

    #[test]
    fn every_mutation_has_its_place_once() {
        for mutation in MUTATIONS {
            let source = fs::read_to_string(root().join(mutation.file)).unwrap();
            assert_eq!(source.matches(mutation.from).count(), 1, "{} in {}", mutation.name, mutation.file);
        }
    }
}
