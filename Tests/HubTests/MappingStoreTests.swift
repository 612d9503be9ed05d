// SPDX-License-Identifier: Apache-2.0
// Mappings saved from the console: versions, two people at once, files that must not be lost.

import CRM
import Diagnostics
import Foundation
import Hub
import Mapping
import PostgreSQL
import Testing

@Suite struct MappingStoreTests {
    private struct Desk {
        let bench: Workbench
        let shelf: MappingShelf
        let store: MappingStore
        let own: URL
        let user: Int

        init() async throws {
            bench = try await Workbench()
            own = bench.folder.appending(path: "mappings")
            shelf = MappingShelf(own: own)
            store = MappingStore(pool: bench.pool, shelf: shelf)
            try await bench.script("insert into app_user (login, name, role) values ('ines', 'Inès', 'it')")
            user = try await bench.numbers("select id from app_user")[0]
        }

        func show(_ name: String = "paiements-csv") throws -> StoredMapping {
            try #require(try store.show(name))
        }

        /// Saves the current text with one part replaced.
        func save(_ old: String, _ new: String, from: String? = nil) async throws -> MappingStore.Outcome {
            let current = try show()
            try #require(current.text.contains(old))
            return try await store.save(
                current.text.replacing(old, with: new), as: "paiements-csv", from: from ?? current.digest,
                by: user)
        }

        func saved(_ outcome: MappingStore.Outcome) throws -> SavedMapping {
            guard case .saved(let saved) = outcome else { throw Surprise() }
            return saved
        }
    }

    private struct Surprise: Error {}

    @Test
    func `a shipped mapping that is saved becomes one's own, used at once, and its former text is kept`()
        async throws
    {
        let desk = try await Desk()
        let shipped = try desk.show()
        #expect(!shipped.isOwn)
        let saved = try desk.saved(try await desk.save("cb: card", "cb: card, carte bleue: card"))
        #expect(saved.version == shipped.mapping.version + 1 && saved.isInUse)
        let own = try desk.show()
        #expect(own.isOwn && own.file == desk.own.appending(path: "paiements-csv.yaml"))
        #expect(try desk.shelf.library().mapping("paiements-csv").version == saved.version)
        let versions = try await desk.bench.pool.withConnection {
            try await MappingStore.versions(of: "paiements-csv", on: $0)
        }
        #expect(versions.map(\.version) == [saved.version, shipped.mapping.version])
        #expect(versions.map(\.author) == ["Inès", nil])
        let former = try await desk.bench.pool.withConnection {
            try await MappingStore.version(saved.former, of: "paiements-csv", on: $0)
        }
        #expect(former?.text == shipped.text)
        let back = try await desk.store.save(
            former?.text ?? "", as: "paiements-csv", from: own.digest, by: desk.user)
        #expect(try desk.saved(back).version == saved.version + 1)
        #expect(try desk.show().text.replacing("version: 3", with: "version: 1") == shipped.text)
        // The folder holds the mapping and nothing half written.
        let files = try FileManager.default.contentsOfDirectory(atPath: desk.own.path)
        #expect(files == ["paiements-csv.yaml"])
    }

    @Test func `who began from a text that somebody else replaced writes nothing, and gets theirs`()
        async throws
    {
        let desk = try await Desk()
        let before = try desk.show()
        _ = try await desk.save("cb: card", "cb: card, visa: card")
        let second = try await desk.save("lcr: bill", "lcr: bill, traite: bill", from: before.digest)
        guard case .overtaken(let theirs) = second else { throw Surprise() }
        #expect(theirs.text.contains("visa: card") && theirs.mapping.version == 2)
        #expect(try desk.show().text == theirs.text)
    }

    @Test func `of people who save at once one wins, and every other one is told`() async throws {
        let desk = try await Desk()
        let before = try desk.show()
        let outcomes = try await withThrowingTaskGroup(of: MappingStore.Outcome.self) { group in
            for number in 1...6 {
                group.addTask {
                    try await desk.save("cb: card", "cb: card, mot\(number): card", from: before.digest)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let wins = outcomes.count { if case .saved = $0 { true } else { false } }
        let losses = outcomes.count { if case .overtaken = $0 { true } else { false } }
        // A late one may begin from the winner's text, which then lacks nothing of it.
        #expect(wins == 1 && losses == 5)
        #expect(try desk.show().mapping.version == 2)
    }

    @Test func `a text with faults, of another name, or equal but for its version is not saved`() async throws
    {
        let desk = try await Desk()
        await #expect(throws: MappingFaults.self) { _ = try await desk.save("else: error", "els: error") }
        await #expect(throws: MappingFaults.self) {
            _ = try await desk.save("mapping: paiements-csv", "mapping: fec")
        }
        guard case .unchanged = try await desk.save("version: 1", "version: 9") else { throw Surprise() }
        await #expect(throws: MappingError.self) {
            _ = try await desk.save("lcr: bill", "lcr: bill" + String(repeating: " ", count: 300_000))
        }
        #expect(!FileManager.default.fileExists(atPath: desk.own.path))
        #expect(try await desk.bench.numbers("select count(*) from mapping_version") == [0])
    }

    @Test func `a file of one's own keeps its place, and one of another's is not overwritten`() async throws {
        let desk = try await Desk()
        let folder = desk.own.appending(path: "erp")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = try desk.show().text
        try Data(text.utf8).write(to: folder.appending(path: "nos-paiements.yaml"))
        _ = try desk.saved(try await desk.save("cb: card", "cb: card, visa: card"))
        #expect(try desk.show().file == folder.appending(path: "nos-paiements.yaml"))
        try FileManager.default.moveItem(
            at: folder.appending(path: "nos-paiements.yaml"), to: desk.own.appending(path: "fec.yaml"))
        let fec = try #require(try desk.store.show("fec"))
        do {
            _ = try await desk.store.save(
                fec.text.replacing("version: \(fec.mapping.version)", with: "version: 9") + "# fin\n",
                as: "fec",
                from: fec.digest, by: desk.user)
            Issue.record("overwritten")
        } catch let error as MappingError {
            #expect(error.has(.saveTaken))
        }
        #expect(
            try await desk.bench.numbers("select count(*) from mapping_version where name = 'fec'") == [0])
    }

    @Test func `without a folder of one's own nothing is saved`() async throws {
        let desk = try await Desk()
        let store = MappingStore(pool: desk.bench.pool, shelf: MappingShelf(own: nil))
        let current = try #require(try store.show("fec"))
        #expect(!store.canSave)
        do {
            _ = try await store.save(
                current.text + "# fin\n", as: "fec", from: current.digest, by: desk.user)
            Issue.record("saved")
        } catch let error as MappingError {
            #expect(error.has(.saveFolder))
        }
    }

    @Test func `lines are compared with what is equal left out`() {
        let old = (1...20).map(String.init).joined(separator: "\n")
        let new = old.replacing("\n10\n", with: "\ndix\n") + "\n21\n"
        let lines = DiffLine.compare(old, new, context: 1).map { "\($0.kind.rawValue) \($0.text)" }
        #expect(
            lines == [
                "skipped 8", "same 9", "gone 10", "new dix", "same 11", "skipped 8", "same 20", "new 21",
            ])
        #expect(DiffLine.compare("a\n", "a").allSatisfy { $0.kind == .skipped })
        let far = (1...9000).map(String.init).joined(separator: "\n")
        #expect(DiffLine.compare(far, "x").count == 9001)
    }
}
