// SPDX-License-Identifier: Apache-2.0
// libpq connection strings: taking them apart, changing one part, putting them together.

internal import CLibPQ
internal import Diagnostics

/// Tools for the two forms of libpq connection strings (`key=value …` and `postgresql://…`).
package enum ConnectionString {
    /// The parts of a string, by libpq keyword.
    ///
    /// - Throws: `PG-UNREACHABLE` with libpq's complaint where it is malformed.
    /// - Source: PostgreSQL 15, 34.1.1.
    package static func parts(_ text: String) throws(PostgreSQLError) -> [String: String] {
        var complaint: UnsafeMutablePointer<CChar>?
        guard let options = unsafe PQconninfoParse(text, &complaint) else {
            let words = unsafe complaint.map { unsafe String(cString: $0) } ?? ""
            unsafe PQfreemem(complaint)
            throw PostgreSQLError(.unreachable, ["detail": words.trimmedLines])
        }
        defer { unsafe PQconninfoFree(options) }
        var parts: [String: String] = [:]
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe parts[String(cString: keyword)] = String(cString: value)
            }
            unsafe option += 1
        }
        return parts
    }

    /// `key='value' …` with quoting, keys in order.
    package static func text(_ parts: [String: String]) -> String {
        parts.sorted { $0.key < $1.key }
            .map { key, value in
                "\(key)='\(value.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
            }
            .joined(separator: " ")
    }

    /// The same server with another database.
    package static func replacing(database name: String, in text: String) throws(PostgreSQLError) -> String {
        var parts = try parts(text)
        parts["dbname"] = name
        return Self.text(parts)
    }

    /// The same string without its password, fit for a command line that others can read.
    package static func withoutPassword(_ text: String) throws(PostgreSQLError) -> String {
        var parts = try parts(text)
        parts["password"] = nil
        return Self.text(parts)
    }

    /// The password as the environment variable that libpq reads; empty where there is none.
    package static func passwordEnvironment(_ text: String) throws(PostgreSQLError) -> [String: String] {
        try parts(text)["password"].map { ["PGPASSWORD": $0] } ?? [:]
    }
}
