// SPDX-License-Identifier: Apache-2.0
// What changed in a collection since a program looked last.

package import PostgreSQL

/// A place in the changes of a collection.
package struct DAVToken: Sendable, Hashable {
    /// Which life of the collection it belongs to.
    package let epoch: Int
    /// All changes up to this count are known.
    package let sequence: Int
    /// Deletions up to this count do not concern whoever has this token: they were told, or came before the first look.
    package let start: Int

    private static let prefix = "https://relais.invalid/ns/sync/"

    /// A place.
    package init(epoch: Int, sequence: Int, start: Int) {
        (self.epoch, self.sequence, self.start) = (epoch, sequence, start)
    }

    /// The place where a collection is now.
    package init(_ collection: DAVCollection) {
        self.init(epoch: collection.epoch, sequence: collection.sequence, start: collection.sequence)
    }

    /// What programs keep of it; an address, since the standard wants one.
    package var text: String {
        Self.prefix + "\(epoch)/\(sequence)" + (start == sequence ? "" : "-\(start)")
    }

    /// The place that a program kept; nil where no token of ours looks so.
    package init?(_ text: String) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        let parts = text.dropFirst(Self.prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = Int(parts[0]) else { return nil }
        let counts = parts[1].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard 1...2 ~= counts.count, let sequence = counts[0], let start = counts.last ?? nil,
            sequence >= 0, start >= 0
        else { return nil }
        self.init(epoch: epoch, sequence: sequence, start: start)
    }

    /// Whether what changed behind it is still known.
    package func isValid(for collection: DAVCollection) -> Bool {
        epoch == collection.epoch && sequence <= collection.sequence && start <= collection.sequence
            && start >= collection.forgottenSequence
    }
}

/// Names that changed, each once.
package struct DAVChanges: Sendable {
    /// A name.
    package struct Entry: Sendable {
        /// Its name in addresses, decoded.
        package let name: String
        /// What is there now; nil where it is gone.
        package let object: DAVObject?
    }

    /// In the order of their last changes.
    package let entries: [Entry]
    /// Where the next look begins.
    package let token: DAVToken
    /// Whether there is more already.
    package let isCut: Bool
}

/// Tells changes.
package enum DAVSync {
    /// What changed behind a token, or all that is there without one, at most so many names.
    ///
    /// The collection is read again here: between two statements somebody may write.
    /// - Returns: nil where the token is of no use any more, or the collection is gone.
    package static func changes(
        in collection: Int, since token: DAVToken?, limit: Int, on connection: Connection
    ) async throws -> DAVChanges? {
        guard let now = try await connection.run(ReadCollection(id: collection)).first else { return nil }
        if let token {
            guard token.isValid(for: now) else { return nil }
            let found = try await connection.run(
                ChangesSince(
                    collection: collection, after: token.sequence, upTo: now.sequence, limit: limit + 1,
                    start: token.start))
            return cut(found, limit, now, start: token.start)
        }
        let found = try await connection.run(
            ObjectsUpTo(collection: collection, upTo: now.sequence, limit: limit + 1))
        return cut(found, limit, now, start: nil)
    }

    private static func cut(
        _ found: [(sequence: Int, entry: DAVChanges.Entry)], _ limit: Int, _ now: DAVCollection, start: Int?
    ) -> DAVChanges {
        let isCut = found.count > limit
        let shown = found.prefix(limit)
        let token =
            isCut
            ? DAVToken(
                epoch: now.epoch, sequence: shown.last?.sequence ?? 0, start: start ?? now.sequence)
            : DAVToken(now)
        return DAVChanges(entries: shown.map(\.entry), token: token, isCut: isCut)
    }

    static let statements: [any Statement.Type] = [
        ReadCollection.self, ChangesSince.self, ObjectsUpTo.self,
    ]
}

struct ReadCollection: Statement {
    let id: Int

    static let sql = """
        select \(DAVCollection.columns) from dav_collection c where c.id = $1::bigint and c.deleted_at is null
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DAVCollection {
        try DAVCollection(&row)
    }
}

struct ChangesSince: Statement {
    let collection: Int
    let after: Int
    let upTo: Int
    let limit: Int
    /// Deletions up to here are of no interest.
    let start: Int

    static let sql = """
        select c.seq, c.name, \(DAVObject.columns)
        from (
          select name, max(seq) as seq
          from dav_change
          where collection_id = $1::bigint and seq > $2::bigint and seq <= $3::bigint
          group by name
          having max(seq) > $5::bigint or max(seq) is distinct from max(seq) filter (where op = 'delete')
          order by max(seq)
          limit $4::bigint
        ) c
        left join dav_object o on o.collection_id = $1 and o.name = c.name and o.deleted_at is null
        order by c.seq
        """
    var parameters: [Parameter] {
        [
            Parameter(collection), Parameter(after), Parameter(upTo), Parameter(limit), Parameter(start),
        ]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> (
        sequence: Int, entry: DAVChanges.Entry
    ) {
        let sequence = try row.next(Int.self)
        let name = try row.next(String.self)
        // A row without an object has its columns null.
        var probe = row
        let id = try probe.next(Int?.self)
        let object = try id.map { (_) throws(PostgreSQLError) in try DAVObject(&row) }
        return (sequence, DAVChanges.Entry(name: name, object: object))
    }
}

struct ObjectsUpTo: Statement {
    let collection: Int
    let upTo: Int
    let limit: Int

    static let sql = """
        select o.seq, \(DAVObject.columns)
        from dav_object o
        where o.collection_id = $1::bigint and o.seq <= $2::bigint and o.deleted_at is null
        order by o.seq
        limit $3::bigint
        """
    var parameters: [Parameter] { [Parameter(collection), Parameter(upTo), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> (
        sequence: Int, entry: DAVChanges.Entry
    ) {
        let sequence = try row.next(Int.self)
        let object = try DAVObject(&row)
        return (sequence, DAVChanges.Entry(name: object.name, object: object))
    }
}
