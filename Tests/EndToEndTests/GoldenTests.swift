// SPDX-License-Identifier: Apache-2.0
// Every shipped mapping makes of its golden files what the JSON beside them says.

import Foundation
import RelaisTesting
import Testing

@Suite struct GoldenTests {
    @Test func `every golden file is read as the JSON beside it says`() async throws {
        let files = Repository.files(["Mappings"], endings: ["xml", "csv", "txt"])
        #expect(!files.isEmpty)
        for file in files.sorted(by: { $0.path < $1.path }) {
            let mapping =
                String(file.lastPathComponent.prefix { $0 != "." })
                .split(separator: "_").first.map(String.init) ?? ""
            let result = try await RelaisCommand.run(["map", file.path, "--mapping", mapping, "--json"])
            let golden = file.deletingPathExtension().appendingPathExtension("json")
            let expected = try? String(contentsOf: golden, encoding: .utf8)
            let actual = result.output.replacing(file.deletingLastPathComponent().path + "/", with: "")
            if ProcessInfo.processInfo.environment["RELAIS_ACCEPT"] == "1" {
                try Data(actual.utf8).write(to: golden)
            }
            #expect(actual == expected, "\(file.lastPathComponent): RELAIS_ACCEPT=1 rewrites the JSON")
        }
    }
}
