// SPDX-License-Identifier: Apache-2.0
// Forms with files, cut anywhere.

import Diagnostics
import Testing

@testable import Server

@Suite struct MultipartTests {
    private let type = "multipart/form-data; boundary=----XyZ"

    private func events(_ body: [UInt8], pieces: Int) throws -> [MultipartReader.Event] {
        var reader = try #require(MultipartReader(contentType: type))
        var events: [MultipartReader.Event] = []
        for start in stride(from: 0, to: body.count, by: pieces) {
            events += try reader.feed(Array(body[start..<min(body.count, start + pieces)]))
        }
        // Bytes of one part may come in any number of pieces.
        var joined: [MultipartReader.Event] = []
        for event in events {
            if case .bytes(let more) = event, case .bytes(let before)? = joined.last {
                joined[joined.count - 1] = .bytes(before + more)
            } else {
                joined.append(event)
            }
        }
        return joined
    }

    private func body(_ content: String) -> [UInt8] {
        Array(
            """
            ------XyZ\r
            Content-Disposition: form-data; name="form"\r
            \r
            jeton\r
            ------XyZ\r
            Content-Disposition: form-data; name="file"; filename="a%22b.csv"\r
            Content-Type: text/csv\r
            \r
            \(content)\r
            ------XyZ--\r

            """.utf8)
    }

    @Test(arguments: [1, 2, 3, 7, 64, 10_000])
    func `a form is the same wherever its bytes are cut`(_ pieces: Int) throws {
        let content = "a;b\r\n--\r\n------XyA\r\n\r\n1;2\r\n------Xy"
        #expect(
            try events(body(content), pieces: pieces) == [
                .part(name: "form", file: nil), .bytes(Array("jeton".utf8)),
                .part(name: "file", file: "a\"b.csv"), .bytes(Array(content.utf8)), .end,
            ])
    }

    @Test(arguments: [1, 5, 10_000]) func `an empty file is a part without bytes`(_ pieces: Int) throws {
        #expect(
            try events(body(""), pieces: pieces) == [
                .part(name: "form", file: nil), .bytes(Array("jeton".utf8)),
                .part(name: "file", file: "a\"b.csv"), .end,
            ])
    }

    @Test func `a form that ends early is not complete`() throws {
        var reader = try #require(MultipartReader(contentType: type))
        _ = try reader.feed(Array(body("a;b").dropLast(30)))
        #expect(!reader.isComplete)
    }

    @Test func `headers without an end are refused, and nothing grows without bound`() throws {
        var reader = try #require(MultipartReader(contentType: type))
        _ = try reader.feed(Array("------XyZ\r\n".utf8))
        var code: String?
        do {
            for _ in 0..<100 { _ = try reader.feed(Array(repeating: UInt8(ascii: "x"), count: 1000)) }
        } catch {
            code = error.diagnostic.code
        }
        #expect(code == "HTTP-REQUEST")
    }

    @Test func `other types and boundaries of no length are no form`() {
        for type in [
            nil, "text/csv", "multipart/form-data", "multipart/form-data; boundary=",
            "multipart/mixed; boundary=a",
        ] {
            #expect(MultipartReader(contentType: type) == nil, "\(type ?? "")")
        }
        #expect(MultipartReader(contentType: "multipart/form-data; boundary=\"a b\"") != nil)
    }

    @Test func `a form with too many parts, or too long a head of one, is refused`() throws {
        let part = "------XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n"
        _ = try events(Array(String(repeating: part, count: 40).utf8), pieces: 10_000)
        #expect(throws: ServerError.self) {
            try events(Array(String(repeating: part, count: 60).utf8), pieces: 10_000)
        }
        let name = String(repeating: "n", count: 10_000)
        let long = "------XyZ\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n"
        #expect(throws: ServerError.self) { try events(Array(long.utf8), pieces: 100_000) }
    }

    @Test func `what follows the last boundary is not kept`() throws {
        var reader = try #require(MultipartReader(contentType: type))
        _ = try reader.feed(body("x"))
        #expect(reader.isComplete)
        for _ in 0..<100 { #expect(try reader.feed([UInt8](repeating: 0, count: 1 << 16)).isEmpty) }
        #expect(reader.held == 0)
    }
}
