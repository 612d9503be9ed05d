// SPDX-License-Identifier: Apache-2.0
// Files of an S3 store, which checks every signature.

import Diagnostics
import Foundation
import RelaisTesting
import Testing

@testable import FileTransfer

@Suite struct BucketTests {
    private func open(
        _ server: BucketServer, _ prefix: String = "", secret: String? = nil
    ) throws -> any RemoteFolder {
        var access = TransferAccess()
        access.password = secret ?? server.secret
        access.region = "eu-west-3"
        return try RemoteFolders.open(try RemoteAddress(server.address(prefix)), access)
    }

    private func withSpool(_ body: (URL) async throws -> Void) async throws {
        let spool = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: spool, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: spool) }
        try await body(spool)
    }

    @Test func `objects right under a prefix are listed, fetched, stored, moved and deleted`() async throws {
        let server = try await BucketServer()
        try await withSpool { spool in
            let bytes = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            let file = spool.appending(path: "a")
            try bytes.write(to: file)
            let inbox = try open(server, "in/")
            let name = "factures  d'été (1)+%20&.csv"
            for _ in 0..<2 { try await inbox.store(file.path, as: name) }
            try await inbox.store(file.path, as: "autre.csv")
            try await open(server, "in/deeper/").store(file.path, as: "other.csv")
            let listing = try await inbox.list()
            #expect(listing.files.map(\.name) == ["autre.csv", name] && listing.problems == [])
            let listed = try #require(listing.files.last)
            #expect(listed.size == bytes.count && !listed.stamp.isEmpty)
            try await inbox.fetch(listed, into: spool.path, as: "got", limit: 1 << 20)
            let got = try Data(contentsOf: spool.appending(path: "got"))
            #expect(got == bytes)
            try await inbox.move(listed, to: "done")
            try await inbox.delete(try #require(listing.files.first))
            let rest = try await inbox.list().files
            #expect(rest == [])
            let done = try await open(server, "in/done/").list().files
            #expect(done.count == 1 && done[0].name.hasSuffix("-" + name) && done[0].size == bytes.count)
        }
    }

    @Test func `more than a page is listed, whatever lies beside it`() async throws {
        let server = try await BucketServer()
        try await withSpool { spool in
            let file = spool.appending(path: "a")
            try Data("x".utf8).write(to: file)
            let folder = try open(server)
            for number in 0..<1_010 {
                try await folder.store(file.path, as: "f\(number).csv")
            }
            let count = try await folder.list().files.count
            #expect(count == 1_010)
        }
    }

    @Test func `a wrong key, a missing bucket and a missing object each have their own finding`() async throws
    {
        let server = try await BucketServer()
        func code(_ body: () async throws -> Void) async -> String? {
            do {
                try await body()
                return nil
            } catch {
                return (error as? TransferError)?.diagnostic.code
            }
        }
        let wrong = await code { _ = try await open(server, secret: "faux").list() }
        #expect(wrong == "TRANSFER-FORBIDDEN")
        let gone = RemoteFile(name: "gone.csv", size: nil, stamp: "")
        try await withSpool { spool in
            let missing = await code {
                try await open(server).fetch(gone, into: spool.path, as: "got", limit: 100)
            }
            #expect(missing == "TRANSFER-MISSING")
            let left = try FileManager.default.contentsOfDirectory(atPath: spool.path)
            #expect(left.isEmpty)
        }
        var access = TransferAccess()
        access.password = server.secret
        let other = server.address().replacingOccurrences(of: "/erp/", with: "/nulle-part/")
        let folder = try RemoteFolders.open(try RemoteAddress(other), access)
        let nowhere = await code { _ = try await folder.list() }
        #expect(nowhere == "TRANSFER-MISSING")
    }

    /// The example of the S3 API reference: GET of a bucket's parameters, with an empty body.
    @Test func `a request is signed as the norm's example is`() throws {
        let signature = BucketSignature(
            keyID: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            region: "us-east-1")
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        let headers = signature.headers(
            "GET", "https://examplebucket.s3.amazonaws.com/?lifecycle=", payload: empty,
            at: Date(timeIntervalSince1970: 1_369_353_600))
        #expect(
            headers.last?.hasSuffix(
                "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543") == true)
    }
}
