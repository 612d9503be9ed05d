// SPDX-License-Identifier: Apache-2.0
// Reads a source of files as the hub does, and keeps what it delivers.

import ConnectorKit
import Diagnostics
import FileSources
import Foundation
import Testing

/// What a source delivered.
struct Delivered {
    /// `NAME=TEXT` of each file, in order.
    var files: [String] = []
    /// Codes of problems, in order.
    var problems: [String] = []
    /// The last cursor: the one given where none was delivered.
    var cursor: Cursor?

    /// Reads a source, whose settings must be good.
    ///
    /// - Parameters:
    ///   - names: files that are refused…
    ///   - code: …and why.
    static func read(
        _ settings: Settings, after cursor: Cursor? = nil, refusing names: Set<String> = [],
        as code: String = "X"
    ) async throws -> Delivered {
        #expect(FileSources.check(settings) == [])
        var delivered = Delivered(cursor: cursor)
        try await FileSources.open(settings).read(after: cursor) { item in
            switch item {
            case .artifact(let name, let path):
                delivered.files.append("\(name)=\(try String(contentsOfFile: path, encoding: .utf8))")
                if names.contains(name) { return .refused(Diagnostic(code: code)) }
            case .problem(let problem): delivered.problems.append(problem.code)
            case .cursor(let cursor): delivered.cursor = cursor
            }
            return .accepted
        }
        return delivered
    }
}
