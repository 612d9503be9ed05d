// SPDX-License-Identifier: Apache-2.0
// Decides again which claims accounts, sites and people keep, once a source is believed more or less than before.

package import Diagnostics
package import PostgreSQL

/// Decides kept values again, as imports decided them.
///
/// A number that no two rows share and that starts to win may be another row's: then the row keeps the number that it
/// has, its other values are decided, and a finding tells it.
package enum Redecision {
    /// What is decided, in the order that it is gone through.
    package enum Kind: String, Sendable, CaseIterable {
        case party, site, person

        /// The table that the rows are numbered by.
        fileprivate var table: String { self == .site ? "site" : "party" }
    }

    /// What became of some rows.
    package struct Outcome: Sendable {
        /// Numbers of those that got another value.
        package fileprivate(set) var changed: Set<Int> = []
        /// Why some kept a value that does not win, by their numbers.
        package fileprivate(set) var kept: [Int: Diagnostic] = [:]
    }

    /// What believing a source otherwise would do.
    package struct Outlook: Sendable {
        /// Accounts that have values of it, at most ``most``.
        package let accounts: Int
        /// People that have, at most ``most``.
        package let persons: Int
        /// Rows that were looked at: the first of each kind.
        package fileprivate(set) var looked = 0
        /// Of these, those that would keep another value.
        package fileprivate(set) var changed = 0
    }

    /// As many as are counted.
    package static let most = 10_000
    /// Rows of each kind that an outlook looks at.
    private static let sample = 1000

    /// How many rows have values of a source.
    package static func count(of source: Int, on connection: Connection) async throws(PostgreSQLError) -> Int
    {
        try await connection.run(CountClaimed(source: source)).first ?? 0
    }

    /// The next rows that have values of a source.
    package static func next(
        _ kind: Kind, after id: Int, of source: Int, limit: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> [Int] {
        try await connection.run(ClaimedRows(kind: kind, after: id, source: source, limit: limit))
    }

    /// What would become of the kept values; nothing is written, and no more than a bounded number of rows is looked at.
    package static func outlook(
        of source: Int, trust: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Outlook {
        guard var outlook = try await connection.run(CountAccounts(source: source)).first else {
            return Outlook(accounts: 0, persons: 0)
        }
        for kind in Kind.allCases {
            let ids = try await next(kind, after: 0, of: source, limit: sample, on: connection)
            guard !ids.isEmpty else { continue }
            outlook.looked += ids.count
            outlook.changed += try await differing(kind, ids, source, trust, on: connection)
        }
        return outlook
    }

    private static func differing(
        _ kind: Kind, _ ids: [Int], _ source: Int, _ trust: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Int {
        let count =
            switch kind {
            case .party:
                try await connection.run(
                    WouldDiffer<UpdatePartyColumns>(ids: ids, source: source, trust: trust))
            case .site:
                try await connection.run(
                    WouldDiffer<UpdateSiteColumns>(ids: ids, source: source, trust: trust))
            case .person:
                try await connection.run(
                    WouldDiffer<UpdatePersonColumns>(ids: ids, source: source, trust: trust))
            }
        return count.first ?? 0
    }

    /// Decides some rows again, in the transaction of the caller, who holds the lock of parties.
    ///
    /// The change log names no source: also whoever leaves out a source's own changes must hear of these.
    /// - Parameter told: rows of which the transaction has told otherwise; they do not count as changed.
    package static func decide(
        _ kind: Kind, _ ids: [Int], run: Int, besides told: Set<Int> = [], on connection: Connection
    ) async throws -> Outcome {
        var outcome = Outcome()
        guard !ids.isEmpty else { return outcome }
        outcome.kept = try await write(kind, ids, run: run, on: connection)
        outcome.changed = Set(
            try await connection.run(
                LogRedecided(table: kind.table, ids: ids.filter { !told.contains($0) }, run: run)))
        return outcome
    }

    /// Decides rows; where the database refuses one of them, finds that one and decides the others.
    ///
    /// - Returns: why rows kept what does not win.
    private static func write(
        _ kind: Kind, _ ids: [Int], run: Int, on connection: Connection
    ) async throws -> [Int: Diagnostic] {
        do {
            try await connection.transaction { connection in
                try await update(kind, ids, run: run, on: connection)
            }
            return [:]
        } catch let error as PostgreSQLError where error.isFaultOfTheData {
            guard ids.count > 1 else {
                return try await spare(kind, ids, error, run: run, on: connection)
            }
            let half = ids.count / 2
            let first = try await write(kind, Array(ids[..<half]), run: run, on: connection)
            return try await first.merging(write(kind, Array(ids[half...]), run: run, on: connection)) { $1 }
        }
    }

    /// Lets one row keep its number, or all that it has.
    private static func spare(
        _ kind: Kind, _ ids: [Int], _ error: PostgreSQLError, run: Int, on connection: Connection
    ) async throws -> [Int: Diagnostic] {
        let reason = try await reason(kind, ids, error, on: connection)
        do {
            try await connection.transaction { connection in
                try await update(kind, ids, run: run, keepsNumber: true, on: connection)
            }
        } catch let error as PostgreSQLError where error.isFaultOfTheData {
            // Nothing of it can be written: all stays.
        }
        return Dictionary(ids.map { ($0, reason) }) { $1 }
    }

    private static func update(
        _ kind: Kind, _ ids: [Int], run: Int, keepsNumber: Bool = false, on connection: Connection
    ) async throws(PostgreSQLError) {
        switch kind {
        case .party:
            try await connection.execute(
                UpdatePartyColumns(ids: ids, run: run, keepsNumber: keepsNumber))
        case .site:
            try await connection.execute(UpdateSiteColumns(ids: ids, run: run, keepsNumber: keepsNumber))
        case .person: try await connection.execute(UpdatePersonColumns(ids: ids, run: run))
        }
    }

    /// Numbers only: what a run says of itself is read by people who may not see clients.
    private static func reason(
        _ kind: Kind, _ ids: [Int], _ error: PostgreSQLError, on connection: Connection
    ) async throws(PostgreSQLError) -> Diagnostic {
        let row = ["entity": kind.rawValue, "row": ids.first.map(String.init) ?? ""]
        let twins =
            switch kind {
            case .party: try await connection.run(PartyTwins(ids: ids))
            case .site: try await connection.run(SiteTwins(ids: ids))
            case .person: [Twin]()
            }
        guard let twin = twins.first else {
            let facts = ["sqlstate": error.sqlState ?? ""]
            return Diagnostic(
                code: RedecisionFinding.refused.rawValue, facts: row.merging(facts) { $1 }, severity: .warning
            )
        }
        let code = kind == .site ? RedecisionFinding.siret : .siren
        let facts = ["id": String(twin.account), "other": String(twin.holder)]
        return Diagnostic(code: code.rawValue, facts: row.merging(facts) { $1 }, severity: .warning)
    }

    static let statements: [any Statement.Type] = [
        CountClaimed.self, CountAccounts.self, ClaimedRows.self, LogRedecided.self, PartyTwins.self,
        SiteTwins.self, WouldDiffer<UpdatePartyColumns>.self, WouldDiffer<UpdateSiteColumns>.self,
        WouldDiffer<UpdatePersonColumns>.self,
    ]
}

/// Why a row keeps a value that does not win; each has its texts in the message catalogue.
package enum RedecisionFinding: String, CaseIterable, Sendable {
    /// The SIREN that wins is another account's.
    case siren = "TRUST-SIREN"
    /// The SIRET that wins is another site's.
    case siret = "TRUST-SIRET"
    /// The database takes nothing of what wins.
    case refused = "TRUST-REFUSED"
}

struct CountClaimed: Statement {
    let source: Int

    static let sql = """
        select count(*) from (
          select distinct entity, entity_id from field_claim
          where entity in ('party', 'site', 'person') and source_id = $1::bigint
        ) c
        """
    var parameters: [Parameter] { [Parameter(source)] }
    typealias Row = Int
}

struct CountAccounts: Statement {
    let source: Int

    private static func first(_ entity: String) -> String {
        """
        (select distinct entity_id as id from field_claim
           where entity = '\(entity)' and source_id = $1::bigint limit \(Redecision.most))
        """
    }

    static let sql = """
        select (
          select count(*) from (
            select id from \(first("party")) p
            union select s.party_id from \(first("site")) c join site s on s.id = c.id
            limit \(Redecision.most)
          ) a
        ), (select count(*) from \(first("person")) h)
        """
    var parameters: [Parameter] { [Parameter(source)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Redecision.Outlook {
        Redecision.Outlook(accounts: try row.next(), persons: try row.next())
    }
}

struct ClaimedRows: Statement {
    let kind: Redecision.Kind
    let after: Int
    let source: Int
    let limit: Int

    static let sql = """
        select distinct entity_id
        from field_claim
        where entity = $1 and entity_id > $2::bigint and source_id = $3::bigint
        order by entity_id
        limit $4::bigint
        """
    var parameters: [Parameter] {
        [Parameter(kind.rawValue), Parameter(after), Parameter(source), Parameter(limit)]
    }
    typealias Row = Int
}

/// How many rows would differ from what their claims win if a source were believed otherwise.
struct WouldDiffer<Columns: ColumnsByClaims>: Statement {
    let ids: [Int]
    let source: Int
    let trust: Int

    static var sql: String {
        let trust = "case when s.id = $2::bigint then $3::bigint else s.trust end"
        return "\(Columns.differing(isKept: "false", trust: trust)) select count(*) from differing"
    }
    var parameters: [Parameter] { [Parameter(ids), Parameter(source), Parameter(trust)] }
    typealias Row = Int
}

/// Tells of the rows that this transaction has changed for a run.
struct LogRedecided: Statement {
    let table: String
    let ids: [Int]
    let run: Int

    static let sql = """
        insert into change_log (entity, entity_id, op, run_id)
        select distinct c.entity, c.entity_id, 'update', c.run_id
        from run_change c
        where c.run_id = $3::bigint and c.entity = $1 and c.entity_id = any($2::bigint[]) and c.op = 'update'
          and c.at = now()
        returning entity_id
        """
    var parameters: [Parameter] { [Parameter(table), Parameter(ids), Parameter(run)] }
    typealias Row = Int
}

/// An account whose winning number is another's.
struct Twin: Sendable {
    let account: Int
    let holder: Int
}

struct PartyTwins: Statement {
    let ids: [Int]

    static let sql = """
        \(winners(of: "party", ["siren"]))
        select w.entity_id, o.party_id from winning w
        join org o on o.siren = w.siren and o.party_id <> w.entity_id
        """
    var parameters: [Parameter] { [Parameter(ids)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Twin {
        Twin(account: try row.next(), holder: try row.next())
    }
}

struct SiteTwins: Statement {
    let ids: [Int]

    static let sql = """
        \(winners(of: "site", ["siret"]))
        select s.party_id, t.party_id from winning w
        join site s on s.id = w.entity_id
        join site t on t.siret = w.siret and t.id <> w.entity_id
        """
    var parameters: [Parameter] { [Parameter(ids)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Twin {
        Twin(account: try row.next(), holder: try row.next())
    }
}
