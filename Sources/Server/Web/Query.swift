// SPDX-License-Identifier: Apache-2.0
// What an address asks for behind its question mark.

internal import Foundation
internal import Hummingbird

extension Request {
    /// A value of the query; nil where it is missing or empty.
    func query(_ name: String) -> String? {
        guard let raw = uri.queryParameters[Substring(name)] else { return nil }
        let text = String(raw).replacing("\0", with: "")
        return text.isEmpty ? nil : text
    }

    /// The token of `Authorization: Bearer …`.
    var bearerToken: String? {
        guard let header = headers[.authorization], header.lowercased().hasPrefix("bearer ") else {
            return nil
        }
        return String(header.dropFirst(7)).trimmingBlanks
    }

    /// A number of the query; nil for one that no row, moment or place of ours has.
    func number(_ name: String) -> Int? {
        query(name).flatMap { Int($0) }.flatMap {
            -9_000_000_000_000_000...9_000_000_000_000_000 ~= $0 ? $0 : nil
        }
    }
}

/// Addresses of this site, with their query.
enum Link {
    /// A path with the values that are there.
    static func to(_ path: String, _ query: KeyValuePairs<String, String?>) -> String {
        let parts = query.compactMap { name, value in
            value.map { "\(name)=\(encoded($0))" }
        }
        return parts.isEmpty ? path : path + "?" + parts.joined(separator: "&")
    }

    static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    /// The path where it is one of this site; nil for an address of another.
    static func local(_ path: String?) -> String? {
        guard let path, path.hasPrefix("/"), !path.hasPrefix("//"), !path.contains("\\"),
            path.unicodeScalars.allSatisfy({ $0.value > 32 })
        else { return nil }
        return path
    }
}
