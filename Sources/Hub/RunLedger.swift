// SPDX-License-Identifier: Apache-2.0
// The counts of a run: every record read is counted once, whatever became of it.

/// How many records went which way.
package struct RunLedger: Sendable, Hashable {
    /// Records that made something new.
    package var inserted = 0
    /// Records that changed something.
    package var updated = 0
    /// Records equal to what was there.
    package var unchanged = 0
    /// Records that wait for a person.
    package var quarantined = 0
    /// Records left out: seen before in the same file, or the whole file was.
    package var skipped = 0
    /// Rows that an undo took away.
    package var deleted = 0

    /// Counts; those that are left out are 0.
    package init(
        inserted: Int = 0, updated: Int = 0, unchanged: Int = 0, quarantined: Int = 0, skipped: Int = 0,
        deleted: Int = 0
    ) {
        self.inserted = inserted
        self.updated = updated
        self.unchanged = unchanged
        self.quarantined = quarantined
        self.skipped = skipped
        self.deleted = deleted
    }

    /// Records read; the database refuses a run whose stored number differs.
    package var read: Int { inserted + updated + unchanged + quarantined + skipped + deleted }

    package static func += (left: inout RunLedger, right: RunLedger) {
        left.inserted += right.inserted
        left.updated += right.updated
        left.unchanged += right.unchanged
        left.quarantined += right.quarantined
        left.skipped += right.skipped
        left.deleted += right.deleted
    }
}
