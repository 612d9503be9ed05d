// SPDX-License-Identifier: Apache-2.0
// What a source of files remembers in its cursor, so that nothing is read, or told, twice.

internal import ConnectorKit
internal import Diagnostics
internal import Foundation

/// Files that were read and stay where they are, and problems that were told.
struct SourceMemory<File: Codable & Hashable & Sendable>: Codable, Sendable {
    var read: Set<File> = []
    var told: Set<String> = []

    /// What a cursor holds; nothing when it cannot be read, which costs a look at files already imported.
    init(_ cursor: Cursor?) {
        guard let cursor else { return }
        let decoder = JSONDecoder()
        let data = Data(cursor.text.utf8)
        if let memory = try? decoder.decode(Self.self, from: data) {
            self = memory
        } else if let read = try? decoder.decode(Set<File>.self, from: data) {
            // As the first version of the ERP connector wrote it.
            self.read = read
        }
    }

    /// The memory as a cursor, the same for the same memory.
    func cursor() throws -> Cursor {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        func text(_ value: some Encodable) throws -> String {
            String(decoding: try encoder.encode(value), as: UTF8.self)
        }
        let files = try read.map { try text($0) }.sorted().joined(separator: ",")
        return Cursor(#"{"read":[\#(files)],"told":\#(try text(told.sorted()))}"#)
    }

    /// Forgets what is there no longer, and delivers the problems that were not told yet.
    mutating func tell(
        _ problems: [Diagnostic], _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        let names = problems.map { "\($0.code) \($0.place.file ?? "") \($0.place.value ?? "")" }
        let isNews = !told.isSuperset(of: names)
        for (name, problem) in zip(names, problems) where !told.contains(name) {
            _ = try await deliver(.problem(problem))
        }
        let wasMore = !told.isSubset(of: names)
        told = Set(names)
        if isNews || wasMore { _ = try await deliver(.cursor(cursor())) }
    }
}
