// SPDX-License-Identifier: Apache-2.0
// What is new or gone in a file's columns, compared with the files that came before it.

internal import CRM
internal import Diagnostics
internal import Mapping
internal import PostgreSQL

/// Compares the columns of a file with those of the last files of its mapping and source.
///
/// A column is new when none of these had it, and gone when all of them had it: a source that sends two forms of a
/// file by turns is not warned of each time.
enum ColumnDrift {
    /// At most one warning of each kind; none for a first file, and for files without named columns.
    static func findings(
        _ columns: [String], of mapping: MappingDefinition, source: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> [Diagnostic] {
        guard !columns.isEmpty else { return [] }
        let earlier = try await connection.run(EarlierColumns(mapping: mapping.name, source: source))
        guard let last = earlier.first else { return [] }
        let known = earlier.reduce(into: Set<String>()) { $0.formUnion($1) }
        let constant = earlier.dropFirst().reduce(into: Set(last)) { $0.formIntersection($1) }
        let now = Set(columns)
        return [
            finding(.newColumn, columns.filter { !known.contains($0) }),
            finding(.goneColumn, last.filter { constant.contains($0) && !now.contains($0) }),
        ].compactMap(\.self)
    }

    private static func finding(_ code: ImportFinding, _ columns: [String]) -> Diagnostic? {
        guard !columns.isEmpty else { return nil }
        let shown = columns.prefix(10).map { $0.isEmpty ? "–" : $0 }.joined(separator: ", ")
        let rest = columns.count - 10
        return Diagnostic(
            code: code.rawValue,
            facts: ["columns": shown, "count": String(columns.count), "more": rest > 0 ? String(rest) : ""],
            severity: .warning)
    }
}

/// The columns of the last twenty files, the latest first.
struct EarlierColumns: Statement {
    let mapping: String
    let source: Int

    static let sql = """
        select a.columns
        from artifact a
        join mapping_version m on m.id = a.mapping_version_id
        where m.name = $1 and a.source_id = $2::bigint and a.columns is not null and a.finished_at is not null
        order by a.id desc
        limit 20
        """
    var parameters: [Parameter] { [Parameter(mapping), Parameter(source)] }
    typealias Row = [String]
}
