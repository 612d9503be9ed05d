// SPDX-License-Identifier: Apache-2.0
// An invoice record whose parties are known, ready to be written.

internal import Crypto
internal import Model

/// A commercial document on its way into `sales_doc`.
struct Document: Sendable {
    /// What makes it the same document again.
    struct Key: Hashable, Sendable {
        let issuer: Int
        let kind: String
        let number: String
        let year: Int
    }

    let record: Record
    /// Its place in the batch.
    let index: Int
    let party: Int
    let site: Int?
    let key: Key
    let contentHash: [UInt8]
    var id = 0

    init(_ record: Record, index: Int, issuer: Int, party: Int, site: Int?) {
        self.record = record
        self.index = index
        self.party = party
        self.site = site
        key = Key(
            issuer: issuer, kind: record.text("kind") ?? "invoice", number: record.text("number") ?? "",
            year: record.date("issue_date")?.year ?? 0)
        contentHash = Self.hash(record, party: party)
    }

    /// SHA-256 over every value and child row in schema order, and the party they belong to.
    private static func hash(_ record: Record, party: Int) -> [UInt8] {
        var hasher = SHA256()
        func add(_ value: Value?) {
            hasher.update(data: Array((value?.description ?? "\u{0}").utf8))
            hasher.update(data: [0x1F])
        }
        add(.integer(party))
        record.values.forEach(add)
        for rows in record.allRows {
            add(.integer(rows.count))
            for row in rows { row.forEach(add) }
        }
        return Array(hasher.finalize())
    }
}
