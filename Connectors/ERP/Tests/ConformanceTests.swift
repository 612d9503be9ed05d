// SPDX-License-Identifier: Apache-2.0
// The ERP connector keeps the promises of every connector.

import ConnectorKit
import ConnectorTesting
import Diagnostics
import ERPConnector
import Testing

@Suite struct ConformanceTests {
    @Test func `the connector conforms`() async throws {
        let sample = #filePath.replacing("Tests/ConformanceTests.swift", with: "Samples/comptes.csv")
        try await Conformance.check(
            ERPConnector.self, settings: Settings(["paths": [sample, "/no/such/file", sample]]),
            broken: [Settings([:]), Settings(["paths": []])])
    }

    @Test func `a file that cannot be opened is a problem and the rest goes on`() async throws {
        var items: [ConnectorItem] = []
        let connector = ERPConnector(Settings(["paths": ["/no/such/file", #filePath]]))
        try await connector.read("files", after: nil) { items.append($0) }
        #expect(items.count == 4)
        guard case .problem(let diagnostic) = items[0] else {
            Issue.record("no problem")
            return
        }
        #expect(diagnostic.code == "FILE-MISSING")
        #expect(diagnostic.place.file == "/no/such/file")
    }
}
