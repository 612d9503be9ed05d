// SPDX-License-Identifier: Apache-2.0
// The systems that data comes from, and how much each is believed.

internal import Diagnostics
package import Model
package import PostgreSQL

/// A system that data comes from, or people.
package struct SourceSystem: Sendable {
    /// Number of the row.
    package let id: Int
    /// What flows call it.
    package let code: String
    /// What people call it; nil where the code is enough.
    package let name: String?
    /// `erp`, `crm`, `person`, `directory`.
    package let kind: String
    /// 0 to 99, and 100 for people; of two values, that of the higher one is kept.
    package let trust: Int
    /// When a run of it began last; nil where none did.
    package let lastRunAt: Timestamp?
    /// Roughly how many values it gave, by the statistics of the database; nil where these know nothing of it.
    package let claims: Int?

    /// What it is called.
    package var title: String { name ?? code }
    /// Whether it is people, whom nothing outranks.
    package var isPeople: Bool { kind == Self.people }

    private static let people = "person"
}

/// Keeps the systems that data comes from.
package enum SourceSystems {
    /// The kinds of systems that can be added.
    package static let kinds = ["erp", "crm", "directory"]
    /// How much a system can be believed; people always more.
    package static let trusts = 0...99

    /// All of them, the most believed first.
    package static func list(on connection: Connection) async throws(PostgreSQLError) -> [SourceSystem] {
        try await connection.run(ListSources(code: nil))
    }

    /// One.
    ///
    /// - Throws: `SOURCE-UNKNOWN`.
    package static func show(_ code: String, on connection: Connection) async throws -> SourceSystem {
        guard let source = try await connection.run(ListSources(code: code)).first else {
            throw SourceError(.unknown, ["code": code])
        }
        return source
    }

    /// How much is meant by a text.
    ///
    /// - Throws: `SOURCE-TRUST`, naming the field.
    package static func trust(_ text: String) throws(SourceError) -> Int {
        guard let trust = Int(text), trusts.contains(trust) else {
            throw SourceError(.trust, at: Place(field: "trust", value: text))
        }
        return trust
    }

    /// Makes a system known before anything of it arrives.
    ///
    /// - Parameters:
    ///   - name: what people call it; empty where the code is enough.
    ///   - trust: 0 to 99.
    ///   - user: who does; nil for the command line.
    /// - Throws: `SOURCE-CODE`, `SOURCE-NAME`, `SOURCE-KIND`, `SOURCE-TRUST`, `SOURCE-TAKEN`, naming the field.
    package static func add(
        _ code: String, name: String, kind: String, trust: Int, by user: Int?, on connection: Connection
    ) async throws {
        guard code.wholeMatch(of: #/[a-z0-9][a-z0-9-]{0,62}/#) != nil else {
            throw SourceError(.code, at: Place(field: "code", value: code))
        }
        let name = try checked(name)
        guard kinds.contains(kind) else { throw SourceError(.kind, at: Place(field: "kind", value: kind)) }
        let trust = try self.trust(String(trust))
        try await connection.transaction { connection in
            let add = AddSource(code: code, name: name, kind: kind, trust: trust)
            guard let id = try await connection.run(add).first else {
                throw SourceError(.taken, at: Place(field: "code", value: code))
            }
            try await Audit.write(
                "source.added", by: user, of: "source", id, facts: ["name": code, "trust": String(trust)],
                on: connection)
        }
    }

    /// Gives a system another name; its code stays, since flows use it.
    ///
    /// - Returns: the name before; empty where there was none.
    /// - Throws: `SOURCE-UNKNOWN`, `SOURCE-PEOPLE`, `SOURCE-NAME`.
    package static func rename(
        _ code: String, to name: String, by user: Int?, on connection: Connection
    ) async throws -> String {
        let name = try checked(name)
        return try await connection.transaction { connection in
            let source = try await changeable(code, on: connection)
            try await connection.execute(RenameSource(id: source.id, name: name))
            if source.name != name {
                try await Audit.write(
                    "source.renamed", by: user, of: "source", source.id,
                    facts: ["name": code, "before": source.title, "after": name ?? code], on: connection)
            }
            return source.name ?? ""
        }
    }

    /// Takes a system away that nothing came from yet.
    ///
    /// - Throws: `SOURCE-UNKNOWN`, `SOURCE-PEOPLE`, `SOURCE-USED`.
    package static func remove(_ code: String, by user: Int?, on connection: Connection) async throws {
        do {
            try await connection.transaction { connection in
                let source = try await changeable(code, on: connection)
                try await connection.execute(RemoveSource(id: source.id))
                try await Audit.write(
                    "source.removed", by: user, of: "source", source.id, facts: ["name": code],
                    on: connection)
            }
        } catch let error as PostgreSQLError where error.has(.constraint) {
            throw SourceError(.used, ["code": code])
        }
    }

    /// A system, locked until the transaction ends.
    ///
    /// - Throws: `SOURCE-UNKNOWN`, `SOURCE-PEOPLE`.
    package static func changeable(_ code: String, on connection: Connection) async throws -> SourceSystem {
        _ = try await connection.run(LockSource(code: code))
        let source = try await show(code, on: connection)
        guard !source.isPeople else { throw SourceError(.people) }
        return source
    }

    /// A name as it is kept; nil for none.
    private static func checked(_ name: String) throws(SourceError) -> String? {
        let text = name.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        // What people said is shown under that name.
        guard text.unicodeScalars.count <= 100, text.lowercased() != "person" else {
            throw SourceError(.name, at: Place(field: "name", value: name))
        }
        return text.isEmpty ? nil : text
    }

    static let statements: [any Statement.Type] = [
        ListSources.self, AddSource.self, RenameSource.self, RemoveSource.self, LockSource.self,
    ]
}

/// The counts are those of the last `analyze`: nothing is scanned for a page.
struct ListSources: Statement {
    let code: String?

    static let sql = """
        with estimate as (
          select v.value::int as source_id, (c.reltuples * v.share)::bigint as claims
          from pg_class c
          join pg_stats s on s.schemaname = 'public' and s.tablename = c.relname and s.attname = 'source_id'
          cross join lateral unnest(s.most_common_vals::text::text[], s.most_common_freqs) as v(value, share)
          where c.oid = 'field_claim'::regclass and c.reltuples > 0
        )
        select s.id::bigint, s.code, s.name, s.kind, s.trust::bigint,
          (select r.started_at from run r where r.source_id = s.id and r.kind <> 'trust' order by r.id desc limit 1),
          e.claims
        from source_system s
        left join estimate e on e.source_id = s.id
        where $1::text is null or s.code = $1
        order by s.trust desc, s.code
        """
    var parameters: [Parameter] { [Parameter(code)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SourceSystem {
        SourceSystem(
            id: try row.next(), code: try row.next(), name: try row.next(), kind: try row.next(),
            trust: try row.next(), lastRunAt: try row.next(), claims: try row.next())
    }
}

struct AddSource: Statement {
    let code: String
    let name: String?
    let kind: String
    let trust: Int

    static let sql = """
        insert into source_system (code, name, kind, trust) values ($1, $2, $3, $4::bigint)
        on conflict do nothing
        returning id::bigint
        """
    var parameters: [Parameter] { [Parameter(code), Parameter(name), Parameter(kind), Parameter(trust)] }
    typealias Row = Int
}

struct RenameSource: Statement {
    let id: Int
    let name: String?

    static let sql = "update source_system set name = $2 where id = $1::bigint"
    var parameters: [Parameter] { [Parameter(id), Parameter(name)] }
}

struct RemoveSource: Statement {
    let id: Int

    static let sql = "delete from source_system where id = $1::bigint"
    var parameters: [Parameter] { [Parameter(id)] }
}

/// Held to the end of the transaction.
struct LockSource: Statement {
    let code: String

    static let sql = "select true from source_system where code = $1 for no key update"
    var parameters: [Parameter] { [Parameter(code)] }
    typealias Row = Bool
}
