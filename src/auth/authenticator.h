// Says who calls. A key that was used in the last seconds is found by its SHA-256 without asking
// anybody; any other is looked up by its HMAC on a blocking pool. Owned by app, outlives every
// Runtime; any thread may call.
//
// Unknown, revoked, expired and malformed keys get the same answer in the same words. No credential
// is stored, logged or part of a message.
//
// A verdict is asked for again after kRefreshAfter (in the background, while calls go on) and not
// used past kFreshFor, unless the store is away: then up to kStaleFor, after that the answer is
// storage_unavailable. A revocation in this process acts at once, one made elsewhere within
// kFreshFor.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "aio/blocking_pool.h"
#include "aio/deadline.h"
#include "aio/task.h"
#include "auth/digest.h"
#include "auth/identity.h"
#include "auth/key_cache.h"
#include "base/clock.h"
#include "base/error.h"

namespace weir::auth {

enum class Mode : std::uint8_t { required, optional, off };

// Where keys are looked up. find_by_digest blocks; any thread; nullopt where there is none, fails
// with storage_unavailable where the store cannot answer.
class KeyRecords {
public:
    virtual ~KeyRecords() = default;
    virtual Result<std::optional<KeyRecord>> find_by_digest(std::string_view digest_hex) = 0;
};

class Authenticator {
public:
    // `pepper` is the master key's derivation for kPepperLabel. All references outlive this; the
    // pool is stopped before this dies.
    Authenticator(const Clock& clock,
                  KeyRecords& records,
                  aio::BlockingPool& pool,
                  const Secret& pepper,
                  std::size_t cached_keys_max = kCachedKeysMax);
    Authenticator(const Authenticator&) = delete;
    Authenticator& operator=(const Authenticator&) = delete;

    // `credential` is empty where the caller sent none. Ready at once unless the key must be looked
    // up. Fails with invalid_api_key, storage_unavailable, overloaded, request_timeout, cancelled.
    aio::Maybe<Result<IdentityRef>> identify(Mode mode,
                                             std::string_view credential,
                                             aio::Deadline deadline);

    // The two steps of identify() for those who wait in their own way (and ask the guess throttle
    // in between): the answer where it is known without waiting ...
    std::optional<Result<IdentityRef>> find_cached(Mode mode, std::string_view credential);
    // ... else the look-up. Blocks.
    Result<IdentityRef> load(std::string_view credential);

    // What the store keeps of a key, in lower-case hexadecimal.
    std::string stored_digest(std::string_view credential) const;

    // Call after the revocation is durable: every cached verdict of the key is void at once, and no
    // look-up that began before can bring it back.
    void revoke(const Uuid& key);
    // The same for a key whose facts changed: the next call looks them up. Its counts go on. A key
    // that was over and is not any more is recognised within kUnknownFor.
    void refresh(const Uuid& key);

    std::size_t cached_keys() const;

private:
    Result<IdentityRef> ask_store(std::string_view credential, const Digest& hash);
    void refresh_in_background(std::string_view credential, const Digest& hash);
    aio::Task<Result<IdentityRef>> look_up(Secret credential, aio::Deadline deadline);

    const Clock& clock_;
    KeyRecords& records_;
    aio::BlockingPool& pool_;
    Hmac pepper_;
    IdentityRef anonymous_;
    mutable KeyCache cache_;
};

// The one key of the admin API. Like any key it is stored as its keyed digest only; compared in
// constant time.
class AdminKey {
public:
    // What Authenticator::stored_digest() gave for it; empty matches nothing.
    explicit AdminKey(std::string_view stored_digest);
    bool matches(const Authenticator& authenticator, std::string_view credential) const;

private:
    std::optional<Digest> hash_;  // of the stored digest
};

}  // namespace weir::auth
