// SPDX-License-Identifier: Apache-2.0
// Addresses under `/dav`: each thing has one, written in one way.

internal import CRM
internal import Foundation

/// The steps of an address below `/dav`, decoded.
struct DAVPath: Sendable, Hashable {
    /// The outermost step.
    static let root = "dav"

    let steps: [String]

    /// What a request, a header or the body of a report says; nil for whatever is no address of ours.
    ///
    /// - Parameter text: a path, or an address with scheme and host, whose host is looked at elsewhere.
    init?(_ text: String) {
        var path = Substring(text)
        if let scheme = path.range(of: "://") {
            path = path[scheme.upperBound...]
            guard let slash = path.firstIndex(of: "/") else { return nil }
            path = path[slash...]
        }
        guard path.hasPrefix("/"), !path.contains("#") else { return nil }
        path = path.prefix { $0 != "?" }
        var steps: [String] = []
        for part in path.split(separator: "/") {
            // Bytes that are no UTF-8 have no name here; nor have steps that go up.
            guard let step = part.removingPercentEncoding, Self.isName(step) else { return nil }
            steps.append(step)
        }
        guard steps.first == Self.root else { return nil }
        self.steps = Array(steps.dropFirst())
    }

    /// Whether a text may be a step.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text != "." && text != ".." && text.utf8.count <= 255
            && text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 && $0 != "/" }
    }

    /// The only way in which a step is written: programs compare addresses letter by letter.
    static func encoded(_ step: String) -> String {
        step.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
    }

    /// What vdirsyncer leaves as it is when it writes an address anew.
    private static let allowed = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@")

    /// The address of steps that are decoded.
    static func href(_ steps: [String], isCollection: Bool) -> String {
        "/" + ([root] + steps).map(encoded).joined(separator: "/") + (isCollection ? "/" : "")
    }

    /// The address of somebody.
    static func principal(_ login: String) -> String {
        href(["principals", login], isCollection: true)
    }
}

/// Where collections of a kind are.
enum DAVSpace: String, CaseIterable {
    case calendars
    case addressbooks
    case files

    var kind: DAVCollection.Kind {
        switch self {
        case .calendars: .calendar
        case .addressbooks: .addressbook
        case .files: .plain
        }
    }

    /// The address of somebody's collections of this kind.
    func home(_ login: String) -> String { DAVPath.href([rawValue, login], isCollection: true) }
}

/// What an address leads to.
enum DAVPlace: Sendable {
    case root
    case principals
    /// Where all homes of a kind are.
    case homes(DAVSpace)
    case principal(DAVPrincipal)
    /// The collections of whoever asks.
    case home(DAVSpace)
    case collection(DAVCollection)
    case object(DAVObject, DAVCollection)
    /// A name in a home that nothing has.
    case free(DAVSpace, String)
    /// A name in a collection that nothing has.
    case vacant(DAVCollection, String)
    /// Something that is not there, in something that is not there, or somebody else's.
    case nowhere
}

/// Something that is there, and its address.
struct DAVNode: Sendable {
    let place: DAVPlace
    let href: String
}
