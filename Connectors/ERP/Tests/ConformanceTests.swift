// SPDX-License-Identifier: Apache-2.0
// The ERP connector keeps the promises of every connector.

import ConnectorKit
import ConnectorTesting
import Diagnostics
import ERPConnector
import Foundation
import Testing

@Suite struct ConformanceTests {
    @Test func `the connector conforms`() async throws {
        let sample = #filePath.replacing("Tests/ConformanceTests.swift", with: "Samples/comptes.csv")
        try await Conformance.check(
            ERPConnector.self, settings: Settings(["paths": [sample, "/no/such/file", sample]]),
            broken: [
                Settings([:]), Settings(["paths": []]), Settings(["paths": ["a"], "from": ["/srv"]]),
                Settings(["from": ["srv"]]), Settings(["from": ["/srv"], "after": ["burn"]]),
            ])
    }

    @Test func `a folder that is only looked at conforms too`() async throws {
        try await withFolder { folder in
            for name in ["b.csv", "a.csv", "c.txt"] {
                try Data("x\n".utf8).write(to: folder.appending(path: name))
            }
            try age(folder, ["a.csv", "b.csv", "c.txt"])
            try await Conformance.check(
                ERPConnector.self,
                settings: Settings([
                    "from": [folder.path], "pattern": ["*.csv"], "after": ["keep"], "stillness": ["0"],
                ]),
                broken: [])
        }
    }

    @Test func `what was accepted goes to the day's folder, what was refused beside its reason`() async throws
    {
        try await withFolder { folder in
            for name in ["good.csv", "bad.csv"] {
                try Data("x\n".utf8).write(to: folder.appending(path: name))
            }
            try age(folder, ["good.csv", "bad.csv"])
            let connector = ERPConnector(Settings(["from": [folder.path], "stillness": ["0"]]))
            try await connector.read("files", after: nil) { item in
                guard case .artifact(let name, _) = item, name == "bad.csv" else { return .accepted }
                return .refused(Diagnostic(code: "CSV-RAGGED"))
            }
            let all = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
            #expect(all.contains("quarantine/bad.csv") && all.contains("quarantine/bad.csv.report.json"))
            #expect(all.contains { $0.hasPrefix("done/20") && $0.hasSuffix("/good.csv") })
            #expect(!all.contains("good.csv") && !all.contains("bad.csv"))
        }
    }

    @Test func `a file that a dead run had taken is read by the next`() async throws {
        try await withFolder { folder in
            try Data("x\n".utf8).write(to: folder.appending(path: "a.csv"))
            try age(folder, ["a.csv"])
            let connector = ERPConnector(
                Settings(["from": [folder.path], "after": ["delete"], "stillness": ["0"]]))
            struct Died: Error {}
            await #expect(throws: Died.self) {
                try await connector.read("files", after: nil) { _ in throw Died() }
            }
            var names: [String] = []
            try await connector.read("files", after: nil) { item in
                if case .artifact(let name, _) = item { names.append(name) }
                return .accepted
            }
            #expect(names == ["a.csv"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [".work"])
        }
    }

    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    private func age(_ folder: URL, _ names: [String]) throws {
        for name in names {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -60)],
                ofItemAtPath: folder.appending(path: name).path)
        }
    }

    @Test func `a file that cannot be opened is a problem and the rest goes on`() async throws {
        var items: [ConnectorItem] = []
        let connector = ERPConnector(Settings(["paths": ["/no/such/file", #filePath]]))
        try await connector.read("files", after: nil) { item in
            items.append(item)
            return .accepted
        }
        #expect(items.count == 4)
        guard case .problem(let diagnostic) = items[0] else {
            Issue.record("no problem")
            return
        }
        #expect(diagnostic.code == "FILE-MISSING")
        #expect(diagnostic.place.file == "/no/such/file")
    }
}
