package rpc

import (
	"context"
	"time"

	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// ModelService serves rlmaze.model.v1.ModelService. That what changes something is not for everyone is the HTTP chain's matter.
type ModelService struct {
	List      *usecase.ListModels
	Get       *usecase.GetModel
	GetActive *usecase.GetActiveModel
	SetActive *usecase.SetActiveModel
	RollBack  *usecase.RollBackActiveModel
	History   *usecase.ListActivations
	Register  *usecase.RegisterModel
}

// ListModels returns every registered model.
func (s *ModelService) ListModels(ctx context.Context, _ *modelv1.ListModelsRequest) (*modelv1.ListModelsResponse, error) {
	listed, err := s.List.Run(ctx)
	if err != nil {
		return nil, err
	}
	response := &modelv1.ListModelsResponse{}
	for _, m := range listed.Models {
		response.Models = append(response.Models, toModel(m, m.ID == listed.ActiveModelID))
	}
	return response, nil
}

// GetModel returns one model.
func (s *ModelService) GetModel(ctx context.Context, request *modelv1.GetModelRequest) (*modelv1.GetModelResponse, error) {
	found, err := s.Get.Run(ctx, request.GetModelId())
	if err != nil {
		return nil, err
	}
	return &modelv1.GetModelResponse{Model: toModel(found.Model, found.Active)}, nil
}

// GetActiveModel returns the model that acts when none is named.
func (s *ModelService) GetActiveModel(ctx context.Context, _ *modelv1.GetActiveModelRequest) (*modelv1.GetActiveModelResponse, error) {
	active, err := s.GetActive.Run(ctx)
	if err != nil {
		return nil, err
	}
	return &modelv1.GetActiveModelResponse{Model: toModel(active.Model, true), Activation: toActivation(active.Activation)}, nil
}

// SetActiveModel switches the model.
func (s *ModelService) SetActiveModel(ctx context.Context, request *modelv1.SetActiveModelRequest) (*modelv1.SetActiveModelResponse, error) {
	access.FromContext(ctx).ModelID = request.GetModelId()
	active, err := s.SetActive.Run(ctx, usecase.SetActiveModelInput{
		ModelID:        request.GetModelId(),
		Reason:         request.GetReason(),
		Actor:          request.GetActor(),
		OverrideReason: request.GetOverrideReason(),
		Expected:       request.GetExpectedActivationId(),
	})
	if err != nil {
		return nil, err
	}
	return &modelv1.SetActiveModelResponse{Model: toModel(active.Model, true), Activation: toActivation(active.Activation)}, nil
}

// RollBackActiveModel undoes the activation in force.
func (s *ModelService) RollBackActiveModel(ctx context.Context, request *modelv1.RollBackActiveModelRequest) (*modelv1.RollBackActiveModelResponse, error) {
	rolled, err := s.RollBack.Run(ctx, usecase.RollBackActiveModelInput{
		Expected: request.GetExpectedActivationId(),
		Reason:   request.GetReason(),
		Actor:    request.GetActor(),
	})
	if err != nil {
		return nil, err
	}
	access.FromContext(ctx).ModelID = rolled.Model.ID
	return &modelv1.RollBackActiveModelResponse{Model: toModel(rolled.Model, rolled.InForce), Activation: toActivation(rolled.Activation)}, nil
}

// ListActivations returns the history of the active model.
func (s *ModelService) ListActivations(ctx context.Context, request *modelv1.ListActivationsRequest) (*modelv1.ListActivationsResponse, error) {
	var at time.Time
	if request.GetAt() != nil {
		at = request.GetAt().AsTime()
	}
	page, err := s.History.Run(ctx, int(request.GetPageSize()), request.GetPageToken(), at)
	if err != nil {
		return nil, err
	}
	response := &modelv1.ListActivationsResponse{NextPageToken: page.NextPageToken}
	for _, a := range page.Activations {
		response.Activations = append(response.Activations, toActivation(a))
	}
	return response, nil
}

// RegisterModel takes in a trained model.
func (s *ModelService) RegisterModel(ctx context.Context, request *modelv1.RegisterModelRequest) (*modelv1.RegisterModelResponse, error) {
	registered, err := s.Register.Run(ctx, request.GetName(), domain.ModelFiles{
		ONNX:     request.GetPolicyOnnx(),
		Manifest: []byte(request.GetManifestJson()),
		Parity:   []byte(request.GetParityJson()),
	})
	if err != nil {
		return nil, err
	}
	access.FromContext(ctx).ModelID = registered.Model.ID
	return &modelv1.RegisterModelResponse{Model: toModel(registered.Model, registered.Active), Created: registered.Created}, nil
}
