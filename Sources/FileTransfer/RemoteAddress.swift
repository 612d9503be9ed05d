// SPDX-License-Identifier: Apache-2.0
// An address of another machine, as a person writes it.

internal import Diagnostics
internal import Foundation

/// `SCHEME://[USER@]HOST[:PORT]/FOLDER/`.
package struct RemoteAddress: Sendable, Hashable {
    /// How the machine speaks.
    package enum Scheme: String, Sendable, CaseIterable {
        /// Files over SSH.
        case sftp
        /// FTP that speaks TLS from the first byte on.
        case ftps
        /// FTP that asks for TLS before the password.
        case ftpes
        /// One file of a web server.
        case https, http
        /// A folder of a web server (WebDAV).
        case davs, dav
        /// A bucket of an S3 store, or a part of one.
        case s3
        /// The same on this machine, for trials.
        case s3http = "s3+http"
        /// A mailbox, with TLS from the first byte on.
        case imaps
        /// A mailbox that is asked for TLS before the password.
        case imap

        /// What files can be put into.
        package static let folders: [Scheme] = [.sftp, .ftps, .ftpes, .davs, .dav, .s3, .s3http]

        /// What libcurl calls it.
        var protocolName: String {
            switch self {
            case .ftpes: "ftp"
            case .davs: "https"
            case .dav, .s3http: "http"
            case .s3: "https"
            default: rawValue
            }
        }
    }

    /// How it is reached.
    package let scheme: Scheme
    /// The name we go by; empty when none is written.
    package let user: String
    /// The path, as it is meant; begins with a slash.
    package let path: String
    private let host: String
    private let query: String

    /// Reads an address.
    ///
    /// - Throws: `TRANSFER-ADDRESS` for what is none, names no host, or holds a password.
    package init(_ text: String) throws(TransferError) {
        let place = Place(field: "from", value: Self.withoutPassword(text))
        guard let parts = URLComponents(string: text), let scheme = Scheme(rawValue: parts.scheme ?? ""),
            let host = parts.host, !host.isEmpty, parts.password == nil, parts.fragment == nil,
            // A line's end would be a command of its own.
            !(parts.path + (parts.user ?? "")).unicodeScalars.contains(where: {
                $0.properties.generalCategory == .control
            })
        else {
            let known = Scheme.allCases.map { $0.rawValue + "://" }.joined(separator: ", ")
            throw TransferError(.address, ["known": known], at: place)
        }
        self.scheme = scheme
        self.host = host + (parts.port.map { ":\($0)" } ?? "")
        user = parts.user ?? ""
        path = parts.path.isEmpty ? "/" : parts.path
        query = parts.percentEncodedQuery.map { "?" + $0 } ?? ""
    }

    /// Whether a text is meant for an address, rather than for a path of this machine.
    package static func isMeant(_ text: String) -> Bool { text.contains("://") }

    /// For messages: without a name, and never with a password.
    package var shown: String { "\(scheme.rawValue)://\(host)\(path)" }

    /// What libcurl is given for the address itself.
    var url: String { "\(scheme.protocolName)://\(host)\(Self.encoded(path))\(query)" }

    /// The path with a slash at its end.
    var folder: String { path.hasSuffix("/") ? path : path + "/" }

    /// What libcurl is given for the machine alone.
    var root: String { "\(scheme.protocolName)://\(host)/" }

    /// What libcurl is given for a name in the folder.
    func url(of name: String) -> String { url(ofPath: folder + name) }

    /// What libcurl is given for a path of the machine.
    func url(ofPath path: String) -> String { "\(scheme.protocolName)://\(host)\(Self.encoded(path))" }

    /// Everything that is not plainly a letter or digit is escaped.
    private static func encoded(_ path: String) -> String {
        let plain = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
        return path.addingPercentEncoding(withAllowedCharacters: plain) ?? path
    }

    /// What is said of an address that files cannot be put at.
    package static func noFolder(_ shown: String) -> TransferError {
        let known = Scheme.folders.map { $0.rawValue + "://" }.joined(separator: ", ")
        return TransferError(.address, ["known": known], at: Place(value: shown))
    }

    private static func withoutPassword(_ text: String) -> String {
        text.replacing(#/:[^:@/]*@/#, with: ":…@")
    }
}
