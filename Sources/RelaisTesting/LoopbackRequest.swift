// SPDX-License-Identifier: Apache-2.0
// One HTTP request to a server of this machine, whose answer has a length.

internal import Foundation
internal import Glibc

/// A connection of its own for each request.
///
/// URLSession of Swift 6.3 refuses header fields without a space after the colon, as chromedriver writes them
/// (swift-corelibs-foundation, pull request 5527).
enum LoopbackRequest {
    /// Sends, and waits for the whole answer without holding a thread.
    static func send(
        _ method: String, _ path: String, port: Int, _ body: Data, deadline: ContinuousClock.Instant
    ) async throws -> (status: Int, body: Data) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        // Blocks for no longer than the kernel needs: it answers for the server, and on loopback at once.
        guard connects(descriptor, port) else { throw failure("no connection", errno) }
        let head = """
            \(method) \(path) HTTP/1.1\r
            Host: 127.0.0.1:\(port)\r
            Content-Type: application/json; charset=utf-8\r
            Content-Length: \(body.count)\r
            Connection: close\r
            \r

            """
        var rest = Array(head.utf8) + body
        while !rest.isEmpty {
            let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
            let sent = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, flags)
            }
            if sent > 0 { rest.removeFirst(sent) } else { try await pause(errno, deadline) }
        }
        var received = Data()
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe block.withUnsafeMutableBytes { bytes in
                unsafe recv(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
            }
            if count > 0 {
                received.append(contentsOf: block[..<count])
                if let answer = answer(received) { return answer }
            } else if count == 0 {
                throw BrowserError(code: "no answer", message: "\(method) \(path)")
            } else {
                try await pause(errno, deadline)
            }
        }
    }

    /// Waits a little where the other side is not ready yet.
    private static func pause(_ code: Int32, _ deadline: ContinuousClock.Instant) async throws {
        guard code == EAGAIN || code == EINTR else { throw failure("connection lost", code) }
        guard ContinuousClock.now < deadline else {
            throw BrowserError(code: "timeout", message: "the driver does not answer")
        }
        try await Task.sleep(for: .milliseconds(1))
    }

    /// Status and body, once all of it is here.
    private static func answer(_ received: Data) -> (Int, Data)? {
        guard let end = received.firstRange(of: Data("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: received[..<end.lowerBound], as: UTF8.self).lowercased()
        guard let length = head.firstMatch(of: /content-length: *(\d+)/).flatMap({ Int($0.output.1) }),
            let status = head.firstMatch(of: /^http\/1\.\d (\d+)/).flatMap({ Int($0.output.1) }),
            received.count - end.upperBound >= length
        else { return nil }
        return (status, received[end.upperBound...].prefix(length))
    }

    private static func connects(_ descriptor: Int32, _ port: Int) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func failure(_ code: String, _ number: Int32) -> BrowserError {
        BrowserError(code: code, message: "errno \(number)")
    }
}
