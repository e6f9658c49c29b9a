package domain

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
)

// ErrResumeToken: the token is not one of ours, was changed, or belongs to other inputs.
var ErrResumeToken = &Error{Code: CodeFailedPrecondition, Field: "resume_token", Rule: "resume_token.wrong", Message: "resume_token does not belong to this episode; start a new episode"}

// ErrModelReplaced: the token's model has another file now, which may decide otherwise.
var ErrModelReplaced = &Error{Code: CodeFailedPrecondition, Field: "resume_token", Rule: "model.replaced", Message: "the model's file was replaced since the episode began; start a new episode"}

// ErrActionsDigest: the replay came to other actions than the client has seen.
var ErrActionsDigest = &Error{Code: CodeFailedPrecondition, Field: "actions_digest", Rule: "actions_digest.mismatch", Message: "actions_digest does not fit the episode's steps up to after_step; start a new episode"}

// ResumeClaims are what a resume token pins: the inputs that determine an episode.
type ResumeClaims struct {
	EpisodeID   string
	Policy      PolicyRef // never the empty one: the active model is filled in
	ModelSHA256 string    // of the model's file, as in Model; empty for a baseline
	RowsHash    [sha256.Size]byte
	Seed        uint64
	Sampling    Sampling
}

// Secrets keeps what signs. PostgreSQL implements it, so that every instance accepts the tokens of every other.
type Secrets interface {
	// ResumeSecret returns at least 32 random bytes that stay the same over restarts. CodeUnavailable while the store is away.
	ResumeSecret(ctx context.Context) ([]byte, error)
}

// tokenVersion is the first byte of a token; another layout takes another one.
const tokenVersion = 2

// SignResumeToken writes the claims and their HMAC-SHA256 as base64url.
func SignResumeToken(secret []byte, c ResumeClaims) string {
	id, _ := parseEpisodeID(c.EpisodeID)
	b := make([]byte, 0, 256)
	b = append(b, tokenVersion)
	b = append(b, id[:]...)
	b = append(b, c.RowsHash[:]...)
	b = binary.BigEndian.AppendUint64(b, c.Seed)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(c.Sampling.Temperature))
	b = appendCounted(b, c.Policy.ModelID)
	b = appendCounted(b, c.ModelSHA256)
	b = appendCounted(b, string(c.Policy.Baseline))
	return base64.RawURLEncoding.EncodeToString(resumeMAC(secret, b))
}

// resumeMAC appends the HMAC of b to b.
func resumeMAC(secret, b []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(b)
	return mac.Sum(b)
}

// OpenResumeToken returns the claims of a token that was signed with the secret, or ErrResumeToken.
func OpenResumeToken(secret []byte, token string) (ResumeClaims, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < sha256.Size {
		return ResumeClaims{}, ErrResumeToken
	}
	signed := b[: len(b)-sha256.Size : len(b)-sha256.Size]
	if !hmac.Equal(b, resumeMAC(secret, signed)) {
		return ResumeClaims{}, ErrResumeToken
	}
	const fixed = 1 + 16 + sha256.Size + 8 + 8
	if len(signed) < fixed+3 || signed[0] != tokenVersion {
		return ResumeClaims{}, ErrResumeToken
	}
	var c ResumeClaims
	c.EpisodeID = formatUUID([16]byte(signed[1:17]))
	c.RowsHash = [sha256.Size]byte(signed[17:49])
	c.Seed = binary.BigEndian.Uint64(signed[49:57])
	c.Sampling.Temperature = math.Float64frombits(binary.BigEndian.Uint64(signed[57:65]))
	model, rest, ok := cutCounted(signed[fixed:])
	if !ok {
		return ResumeClaims{}, ErrResumeToken
	}
	modelSHA256, rest, ok := cutCounted(rest)
	if !ok {
		return ResumeClaims{}, ErrResumeToken
	}
	baseline, rest, ok := cutCounted(rest)
	if !ok || len(rest) > 0 {
		return ResumeClaims{}, ErrResumeToken
	}
	c.Policy = PolicyRef{ModelID: model, Baseline: Baseline(baseline)}
	c.ModelSHA256 = modelSHA256
	return c, nil
}

// appendCounted appends a string, led by its length in one byte.
func appendCounted(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

// cutCounted takes a string that is led by its length in one byte.
func cutCounted(b []byte) (s string, rest []byte, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return "", nil, false
	}
	n := 1 + int(b[0])
	return string(b[1:n]), b[n:], true
}
