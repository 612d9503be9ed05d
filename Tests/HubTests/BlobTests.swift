// SPDX-License-Identifier: Apache-2.0
// Kept files: large ones beside the database, checked against their hash.

import BlobStore
import Diagnostics
import ERPConnector
import Foundation
import Hub
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct BlobTests {
    private func rows(_ count: Int) -> String {
        "id,name,siren,siret,tva,street,postcode,city,phone\n"
            + (0..<count).map { "N\($0),Client numéro \($0) et un long nom,,,,,,,\n" }.joined()
    }

    @Test func `a large file is kept beside the database, a small one in it`() async throws {
        let bench = try await Workbench(keepsFiles: true)
        _ = try await bench.run([
            try bench.write(rows(20), "petit.csv"), try bench.write(rows(8000), "gros.csv"),
        ])
        #expect(try await bench.texts("select store from blob order by size") == ["database", "files"])
        let report = try await bench.pool.withConnection { try await bench.blobs.scrub(on: $0) }
        #expect(report.blobs == 2)
        #expect(report.missing.isEmpty && report.damaged.isEmpty && report.swept.isEmpty)
        #expect(try await bench.numbers("select count(*) from party") == [8000])
    }

    @Test func `what is damaged, missing or left over is found, and what is missing comes back`() async throws
    {
        let bench = try await Workbench(keepsFiles: true)
        let path = try bench.write(rows(8000), "gros.csv")
        _ = try await bench.run([path])
        let folder = URL(filePath: try #require(bench.blobs.folder))
        let kept = try #require(try files(folder).first)
        let left = kept.deletingLastPathComponent().appending(path: ".part-reste")
        try Data("reste".utf8).write(to: left)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: left.path)
        var bytes = try Data(contentsOf: kept)
        bytes[100] ^= 1
        try bytes.write(to: kept)
        let damaged = try await bench.pool.withConnection { try await bench.blobs.scrub(on: $0) }
        #expect(damaged.damaged == [kept.lastPathComponent])
        #expect(damaged.swept == [".part-reste"])
        try FileManager.default.removeItem(at: kept)
        let missing = try await bench.pool.withConnection { try await bench.blobs.scrub(on: $0) }
        #expect(missing.missing == [kept.lastPathComponent])
        _ = try await bench.run([path])
        let whole = try await bench.pool.withConnection { try await bench.blobs.scrub(on: $0) }
        #expect(whole.missing.isEmpty && whole.damaged.isEmpty)
    }

    private func files(_ folder: URL) throws -> [URL] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        return names.map { folder.appending(path: $0) }.filter {
            !$0.hasDirectoryPath && $0.lastPathComponent.count == 64
        }
    }
}
